# For a process that tokenises: derives token keys, and can neither make nor change one. A worker that only masks has no need of it.
# `+` stands for whole words only, so reading is all that may be given on keys: anything more would hold for rotate, config and trim below them too.
path "transit/keys/bauta-token-*" {
  capabilities = ["read"]
}
path "transit/hmac/bauta-token-*" {
  capabilities = ["update"]
}
