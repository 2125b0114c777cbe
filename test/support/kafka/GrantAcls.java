// Kafka's own kafka-acls, once for each line of stdin (words apart by tabs), in one process: to start one for each takes longer than what it does.
import java.util.Scanner;
import org.apache.kafka.tools.AclCommand;

public class GrantAcls {
  public static void main(String[] arguments) {
    try (Scanner lines = new Scanner(System.in)) {
      while (lines.hasNextLine()) AclCommand.main(lines.nextLine().split("\t"));
    }
  }
}
