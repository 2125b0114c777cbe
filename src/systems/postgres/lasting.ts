// Settings of a session that lives as long as its run and may hold locks.
/**
 * No idle time-out ends it, and the server ends it by itself within half a minute when the machine at the other end is gone without a word, as no
 * process that dies is: then its locks go too. A server that cannot (Unix sockets) leaves it be.
 * No `tcp_user_timeout`: a reader that pauses for so long, because what it feeds is slow, would be cut too.
 */
export const lasting: Readonly<Record<string, string>> = {
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
};
