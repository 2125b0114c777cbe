# METADATA
# scope: package
# title: A masked copy is not deployed to production
# description: >-
#   Where the statement about the database of a production environment shows the marker of a masked copy, the deployment points at test data.
# custom:
#   severity: critical
#   controls: [BAUTA-DEPLOY-7, SOC2-CC8.1, SOC2-PI1.3, ISO27001-A.8.31]
#   codes:
#     MASKED_DATA_IN_PRODUCTION: point the deployment at the production database
package deploy.production

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "MASKED_DATA_IN_PRODUCTION", "the production database carries the marker of a masked copy") if {
	is_object(input.production)
	input.production.marked != false
}
