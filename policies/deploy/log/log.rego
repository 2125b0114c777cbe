# METADATA
# scope: package
# title: The audit log is whole
# description: >-
#   The newest checkpoint of the workspace's log carries the signature of its key, and what happened is signed within the time that the gate allows.
#   A decision that could not be proven later is not taken.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-8, SOC2-CC7.2, PCI-10.3.4, HIPAA-164.312(b), ISO27001-A.8.15]
#   codes:
#     LOG_NOT_WHOLE: look at the health of the service and run bauta audit verify; the sequencer signs what waits
package deploy.log

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "LOG_NOT_WHOLE", "the newest checkpoint of the audit log does not carry the signature of its key, or there is none") if {
	input.log.state != "signed"
}

deny contains reason.of(meta, "LOG_NOT_WHOLE", "the audit log is not signed in time") if {
	input.log.lagSeconds > input.parameters.logLagSeconds
}
