# METADATA
# scope: package
# title: No critical vulnerability that has a fix
# description: >-
#   In the evidence that counts there are no more critical findings with a fix than the gate allows (none, unless it says so). A waiver that
#   stands takes a finding out of the count; it is shown with the evidence.
# custom:
#   severity: critical
#   controls: [BAUTA-DEPLOY-10, PCI-6.3.3, SOC2-CC7.1, ISO27001-A.8.8]
#   codes:
#     CRITICAL_WITH_FIX: update to the version that fixes it, or have a second person waive it with a reason and an end
package deploy.vulnerabilities

import data.deploy.evidence
import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.about(meta, "CRITICAL_WITH_FIX", message, requirement.points, item.id) if {
	some requirement in input.requirements
	item := evidence.counting(requirement)
	item.fixableCriticals > input.parameters.fixableCriticals
	message := concat("", [requirement.name, " has critical findings with a fix: ", format_int(item.fixableCriticals, 10)])
}
