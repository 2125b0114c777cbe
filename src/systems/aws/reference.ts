// `aws:NAME#field`, and `aws:NAME` for its whole text: a secret of Secrets Manager by its name or its ARN.

export interface AwsReference {
  /** `prod/shop`, `rds!db-0a1b`, or an ARN. */
  readonly secret: string;
  readonly field?: string;
}

const FORM =
  /^aws:((?:arn:aws[a-z-]{0,20}:secretsmanager:[a-z0-9-]{1,30}:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512})(?:#([A-Za-z0-9_][A-Za-z0-9_.-]{0,99}))?$/;

/** Undefined: it is none. Names of Secrets Manager are flat: a slash or a dot leads nowhere. */
export function parseAwsReference(text: string): AwsReference | undefined {
  const [, secret, field] = FORM.exec(text) ?? [];
  return secret === undefined ? undefined : { secret, ...(field === undefined ? {} : { field }) };
}
