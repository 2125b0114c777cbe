# METADATA
# scope: package
# title: A gate speaks of its own environments and services
# description: >-
#   A decision is about an environment and a service that the gate names, as a name or as the beginning of names with a star.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-2, SOC2-CC8.1]
#   codes:
#     GATE_OUT_OF_SCOPE: ask the gate of that environment and service, or name them in this one
package deploy.scope

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "GATE_OUT_OF_SCOPE", "the gate is not for this environment") if {
	not reason.fits_one(input.gate.environments, input.request.environment)
}

deny contains reason.of(meta, "GATE_OUT_OF_SCOPE", "the gate is not for this service") if {
	not reason.fits_one(input.gate.services, input.request.service)
}
