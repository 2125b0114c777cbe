# METADATA
# scope: package
# title: The environment of the tests has not drifted
# description: >-
#   Documents, policy and source schema are still those that the version was made with, and its rows those that were published, as the last look saw
#   it. A look that could not see everything, or that nobody took for too long, is no good news.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-5, SOC2-CC7.1, SOC2-CC8.1, ISO27001-A.8.9]
#   codes:
#     DATASET_DRIFTED: look at bauta drift, and provision a new version
#     DRIFT_UNKNOWN: see why the last look could not be taken; the inventory of the environment says it
package deploy.drift

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

version := input.dataset.version

deny contains reason.of(meta, "DATASET_DRIFTED", concat("", ["not as it was when the version was made: ", what])) if {
	is_object(version)
	some what in version.drift
}

deny contains reason.of(meta, "DATASET_DRIFTED", "rows of the version are not those that were published") if {
	is_object(version)
	version.rowsDrifted > 0
}

deny contains reason.of(meta, "DRIFT_UNKNOWN", "the last look for drift could not see everything") if {
	is_object(version)
	is_string(version.lookError)
}

deny contains reason.of(meta, "DRIFT_UNKNOWN", "the last look at the rows could not see everything") if {
	is_object(version)
	is_string(version.rowsError)
}

deny contains reason.of(meta, "DRIFT_UNKNOWN", "nobody has looked for drift for too long") if {
	is_object(version)
	not lately
}

lately if input.nowMs - version.publishedAtMs <= input.parameters.driftMaxAgeMs

lately if {
	is_number(version.lookedAtMs)
	input.nowMs - version.lookedAtMs <= input.parameters.driftMaxAgeMs
}
