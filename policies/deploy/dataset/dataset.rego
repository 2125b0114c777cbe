# METADATA
# scope: package
# title: Tests ran on masked data that is still good
# description: >-
#   What the tests ran on is what `bauta attest` says of it, under the signature of the log of this workspace; what the request names counts for
#   nothing by itself. The version was published here, was not revoked or dropped, has not expired, and nobody quarantined it.
# custom:
#   severity: critical
#   controls: [BAUTA-DEPLOY-4, GDPR-25, GDPR-32, SOC2-CC8.1, PCI-6.5.5, HIPAA-164.514, ISO27001-A.8.33]
#   codes:
#     DATASET_UNATTESTED: run bauta attest where the tests run, and send its JSON with the question
#     DATASET_NOT_MASKED: run the tests on a published masked copy; bauta attest says what does not fit
#     DATASET_STATEMENT_STALE: run bauta attest anew, after the tests
#     DATASET_OTHER: ask with the version that the tests ran on
#     DATASET_UNKNOWN: run the tests on a version that this workspace published
#     DATASET_EXPIRED: provision a new version and run the tests on it
#     DATASET_REVOKED: run the tests on a version that nobody revoked, dropped or quarantined
package deploy.dataset

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

statement := input.dataset.statement

version := input.dataset.version

deny contains reason.of(meta, "DATASET_UNATTESTED", "nobody attested what the tests ran on") if {
	is_object(input.dataset)
	not is_object(input.dataset.statement)
}

deny contains reason.of(meta, "DATASET_NOT_MASKED", "what the tests ran on is not a masked copy with a marker of this workspace's log") if {
	is_object(statement)
	not masked
}

masked if {
	statement.state in {"valid", "unchecked"}
	statement.signer == "checked"
	is_string(statement.run)
}

deny contains reason.of(meta, "DATASET_STATEMENT_STALE", "the statement about the data of the tests is too old, or of another time") if {
	is_object(statement)
	not recent
}

recent if {
	is_number(statement.atMs)
	input.nowMs - statement.atMs <= input.parameters.statementMaxAgeMs

	# The clock of the machine that attested and of this one may differ by so much.
	statement.atMs - input.nowMs <= 300000
}

deny contains reason.of(meta, "DATASET_OTHER", "the tests ran on another version than the request names") if {
	is_object(statement)
	is_string(input.request.datasetVersion)
	not input.request.datasetVersion in {statement.run, statement.label}
}

deny contains reason.of(meta, "DATASET_UNKNOWN", "this workspace published no such version") if {
	is_object(statement)
	masked
	not is_object(version)
}

deny contains reason.of(meta, "DATASET_EXPIRED", "the version that the tests ran on has expired") if {
	is_object(statement)
	is_number(statement.expiresAtMs)
	statement.expiresAtMs <= input.nowMs
}

deny contains reason.of(meta, "DATASET_EXPIRED", "the version that the tests ran on has expired") if {
	is_object(version)
	version.expiresAtMs <= input.nowMs
}

deny contains reason.of(meta, "DATASET_REVOKED", concat("", ["the version that the tests ran on was ", word])) if {
	is_object(version)
	some word in ["revoked", "dropped", "quarantined"]
	version[word] == true
}
