# For a process whose Connections have `credentials: vault:database/creds/bauta-…`: leases logins, and gives back those of these roles only.
path "database/creds/bauta-*" {
  capabilities = ["read"]
}
path "sys/leases/renew" {
  capabilities = ["update"]
}
path "sys/leases/revoke/database/creds/bauta-*" {
  capabilities = ["update"]
}
