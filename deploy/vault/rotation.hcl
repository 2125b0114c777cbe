# For who rotates passwords (bauta secrets rotate, or a worker that is asked to): writes the next version of a secret. Can delete none, and list none.
path "secret/data/bauta/*" {
  capabilities = ["read", "create", "update"]
}
