# For a worker, and whoever runs bauta run or bauta plan: derives masking keys, and can neither make nor change one.
# `+` stands for whole words only, so reading is all that may be given on keys: anything more would hold for rotate, config and trim below them too.
path "transit/keys/bauta-masking-*" {
  capabilities = ["read"]
}
path "transit/hmac/bauta-masking-*" {
  capabilities = ["update"]
}
