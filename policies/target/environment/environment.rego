# METADATA
# scope: package
# title: The target is a test environment
# description: >-
#   The target says which environment it is and that it is not production; the plan was made for that environment.
# custom:
#   severity: critical
#   controls: [BAUTA-TARGET-1, SOC2-CC8.1, ISO27001-A.8.31, ISO27001-A.8.33, PCI-6.5.3]
#   codes:
#     TARGET_IS_PRODUCTION: name a target that is not production; Bauta never writes to production
#     TARGET_CLASS_UNKNOWN: write the class of the target as ci, dev, test, staging or vendor
#     ENVIRONMENT_MISSING: write the name of the environment into the target, and plan again
package target.environment

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

classes := {"ci", "dev", "test", "staging", "vendor"}

production_words := {"production", "prod", "prd", "live"}

is_production if lower(input.target.class) in production_words

is_production if lower(input.target.environment) in production_words

deny contains reason.of(meta, "TARGET_IS_PRODUCTION", "the target is a production environment") if is_production

deny contains reason.of(meta, "TARGET_CLASS_UNKNOWN", "the class of the target is not one of those that may be given a copy") if {
	not is_production
	not object.get(input, ["target", "class"], "") in classes
}

deny contains reason.of(meta, "ENVIRONMENT_MISSING", "the plan and the target do not name the same environment") if not environment_named

environment_named if {
	trim_space(input.environment) != ""
	input.environment == input.target.environment
}
