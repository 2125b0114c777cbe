// Is a text a connection string, or does it hold a password? By form: documents, references and command lines refuse both.

const forms = [
  /\b(postgres|postgresql|mysql|mariadb|mongodb|redis|amqp|kafka|sqlserver|oracle)(\+[a-z]+)?:\/\//i,
  /\bjdbc:/i,
  /[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i,
  /\b(host|hostaddr|user|dbname|port|sslmode)\s*=[\s\S]*\bpassword\s*=|\bpassword\s*=[\s\S]*\b(host|hostaddr|user|dbname|port|sslmode)\s*=/i,
];

export function isConnectionString(text: string): boolean {
  return forms.some((form) => form.test(text));
}
