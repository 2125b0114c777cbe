# METADATA
# scope: package
# title: A version that is used again may still be used
# description: >-
#   Roll-back, clone, hand-out of an archive and a version instead of a run are asked anew. The version was not revoked, and no
#   person is to be erased whom its run may have read: it began after the newest request to erase somebody from that target.
# custom:
#   severity: critical
#   controls: [BAUTA-DATASET-1, GDPR-Art17, GDPR-Art5.1.e, SOC2-P4.3]
#   codes:
#     DATASET_REVOKED: make a new version with bauta run
#     ERASURE_PENDING: make a new version with bauta run once the rows are gone at the source; it drops the others
package dataset.again

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

used_again if is_object(input.again)

deny contains reason.of(meta, "DATASET_REVOKED", "the version was revoked") if {
	used_again
	not standing
}

deny contains reason.of(meta, "ERASURE_PENDING", "a person is to be erased whom the version may hold") if {
	used_again
	not outlived
}

standing if input.again.revoked == false

outlived if input.again.erasureAtMs == null

outlived if {
	is_number(input.again.erasureAtMs)
	is_number(input.again.startedAtMs)
	input.again.startedAtMs > input.again.erasureAtMs
}
