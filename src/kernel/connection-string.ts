// Is a text a connection string, or does it hold a password? By form: documents, references and command lines refuse both.
// Strangers choose the texts: every form is looked for in one pass, whatever stands there.

const scheme = /\b(postgres|postgresql|mysql|mariadb|mongodb|redis|amqp|kafkas?|sqlserver|oracle)(\+[a-z]{1,30})?:\/\//i;
const jdbc = /\bjdbc:/i;
/** From one `://` to the next there is a slash, so that no two of these begin to read the same characters. */
const authority = /[a-z0-9+.-]:\/\/([^\s/@]*)@/gi;
const password = /\bpassword\s*=/i;
const keyword = /\b(host|hostaddr|user|dbname|port|sslmode)\s*=/i;

export function isConnectionString(text: string): boolean {
  if (scheme.test(text) || jdbc.test(text) || (password.test(text) && keyword.test(text))) return true;
  return [...text.matchAll(authority)].some(([, user = '']) => /:./s.test(user));
}
