# The Vault of docker-compose.yml: one node on its own storage, over TLS only. Nothing here unseals it.
ui            = false
# The container may lock no memory: give the machine no swap, or an encrypted one.
disable_mlock = true
api_addr      = "https://vault:8200"
cluster_addr  = "https://vault:8201"

storage "raft" {
  path    = "/vault/file"
  node_id = "vault"
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
  tls_cert_file   = "/run/secrets/server.crt"
  tls_key_file    = "/run/secrets/server.key"
  tls_min_version = "tls13"
}
