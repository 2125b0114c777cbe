# METADATA
# scope: package
# title: No live card number before production
# description: >-
#   Where the last look at the rows counted values that can be no fake of ours (card numbers outside of the test ranges and their like), what the
#   tests ran on is no test data.
# custom:
#   severity: critical
#   controls: [BAUTA-DEPLOY-6, PCI-6.5.5, GDPR-32, SOC2-C1.1]
#   codes:
#     LIVE_VALUES: find out who put them there; quarantine the environment and provision it anew
package deploy.live

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "LIVE_VALUES", message) if {
	is_object(input.dataset.version)
	input.dataset.version.liveValues > 0
	message := concat("", [format_int(input.dataset.version.liveValues, 10), " values in the data of the tests can be no fakes"])
}
