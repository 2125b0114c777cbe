# For who writes or opens files for an environment: derives transport keys, and can neither make nor change one.
# `+` stands for whole words only, so reading is all that may be given on keys: anything more would hold for rotate, config and trim below them too.
path "transit/keys/bauta-transport-*" {
  capabilities = ["read"]
}
path "transit/hmac/bauta-transport-*" {
  capabilities = ["update"]
}
