# For a process that reads `vault:secret/data/bauta/…`. Give each workspace a folder, and each process those that it needs.
path "secret/data/bauta/*" {
  capabilities = ["read"]
}
