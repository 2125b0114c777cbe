# For who makes, rotates and destroys masking keys (bauta keys): a person's login, for the time of it. Can compute nothing with them, and read none.
path "transit/keys/bauta-masking-*" {
  capabilities = ["read", "update"]
  denied_parameters = {
    "exportable"             = [true]
    "allow_plaintext_backup" = [true]
    "deletion_allowed"       = [true]
    "derived"                = [true]
  }
}
