# METADATA
# scope: package
# title: An image is judged by its digest
# description: >-
#   A tag is a name that can be given to another image after the decision. What is deployed is named by its digest.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-3, SOC2-CC8.1, PCI-6.3.2, ISO27001-A.8.32]
#   codes:
#     IMAGE_NOT_PINNED: deploy and ask by repository@sha256:…, and scan that digest
package deploy.image

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "IMAGE_NOT_PINNED", "the image is named by a tag alone") if {
	is_object(input.request.image)
	not is_string(input.request.image.digest)
}
