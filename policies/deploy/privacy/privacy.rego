# METADATA
# scope: package
# title: The data of the tests lets nobody be found beyond what the gate allows
# description: >-
#   Where a gate asks for it, what was measured of the privacy of the version that the tests ran on is within its limits. What was not measured is not
#   known, and is not within. A measure that there is nothing of (no column of that kind) is within every limit.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-14, GDPR-25, GDPR-32, SOC2-CC8.1]
#   codes:
#     DATASET_PRIVACY_BEYOND: provision a version in which less comes through; privacy of its run says which columns it was
#     DATASET_PRIVACY_UNKNOWN: provision a new version, whose privacy is measured; unmeasured of its run says what could not be
package deploy.privacy

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

limits := input.dataset.privacy

version := input.dataset.version

at_most := {"maxLinked": "linked", "maxGuessed": "guessed", "maxUnique": "unique", "maxBelow": "below", "maxT": "t", "maxFollowed": "followed"}

at_least := {"minK": "k", "minL": "l"}

deny contains reason.of(meta, "DATASET_PRIVACY_BEYOND", concat("", ["measured of the data of the tests, and more than the gate allows: ", measure])) if {
	some limit, measure in at_most
	version.privacy.worst[measure] > limits[limit]
	is_number(limits[limit])
	is_number(version.privacy.worst[measure])
}

deny contains reason.of(meta, "DATASET_PRIVACY_BEYOND", concat("", ["measured of the data of the tests, and less than the gate asks for: ", measure])) if {
	some limit, measure in at_least
	version.privacy.worst[measure] < limits[limit]
	is_number(limits[limit])
	is_number(version.privacy.worst[measure])
}

deny contains reason.of(meta, "DATASET_PRIVACY_UNKNOWN", concat("", ["not measured of the data of the tests: ", measure])) if {
	is_object(version)
	some limit, measure in object.union(at_most, at_least)
	is_number(limits[limit])
	not known(measure)
}

# What an older release measured may not have been this.
known(measure) if {
	measure in object.keys(version.privacy.worst)
	not measure in version.privacy.unmeasured
}
