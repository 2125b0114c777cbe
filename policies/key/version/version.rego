# METADATA
# scope: package
# title: The key is named and in date
# description: >-
#   The plan names the version of the key, the key provider knows that version, and it has not expired.
# custom:
#   severity: high
#   controls: [BAUTA-KEY-1, SOC2-CC6.1, PCI-3.7, ISO27001-A.8.24]
#   codes:
#     KEY_VERSION_MISSING: plan again, so that the plan names the key version of the key provider
#     KEY_VERSION_DIFFERS: plan again with the key version that is to be used
#     KEY_EXPIRED: rotate the key and plan again
package key.version

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

named(version) if {
	is_number(version)
	version >= 1
	floor(version) == version
}

deny contains reason.of(meta, "KEY_VERSION_MISSING", "the plan names no version of the key") if {
	not named(object.get(input, "keyVersion", null))
}

deny contains reason.of(meta, "KEY_VERSION_DIFFERS", "the key at hand is not of the version that the plan names") if {
	named(input.keyVersion)
	object.get(input, ["key", "version"], null) != input.keyVersion
}

deny contains reason.of(meta, "KEY_EXPIRED", "the version of the key that the plan names has expired") if {
	not in_date
}

in_date if input.key.expiresAtMs == null

in_date if {
	is_number(input.key.expiresAtMs)
	input.nowMs < input.key.expiresAtMs
}
