# For who makes, rotates and destroys transport keys (bauta keys): a person's login, for the time of it. Can compute one thing with them and read none: the
# check value by which the log tells a version from another key, which is the HMAC of a constant (in base64 below).
path "transit/keys/bauta-transport-*" {
  capabilities = ["read", "update"]
  denied_parameters = {
    "exportable"             = [true]
    "allow_plaintext_backup" = [true]
    "deletion_allowed"       = [true]
    "derived"                = [true]
  }
}
path "transit/hmac/bauta-transport-*" {
  capabilities = ["update"]
  allowed_parameters = {
    "input"       = ["YmF1dGEvMQBrZXkgY2hlY2s="]
    "key_version" = []
  }
}
