# METADATA
# scope: package
# title: May this version go to that environment?
# description: >-
#   The answer is yes only if no rule has a reason against it. All reasons are given, and the score with its items beside them. Each folder of rules
#   is listed here; build.mjs refuses a rule that is not.
package deploy.gate

decision := {
	"allow": count(reasons) == 0,
	"reasons": reasons,
	"score": {
		"hundredths": data.deploy.score.hundredths,
		"earned": data.deploy.score.earned_all,
		"possible": data.deploy.score.possible,
		"items": data.deploy.score.items,
	},
	"missing": [name | some name, _ in data.deploy.evidence.lacking],
	"revokes": data.deploy.revocation.revoking(reasons),
}

reasons := [reason |
	some denials in [
		data.deploy.facts.deny,
		data.deploy.scope.deny,
		data.deploy.image.deny,
		data.deploy.dataset.deny,
		data.deploy.drift.deny,
		data.deploy.live.deny,
		data.deploy.privacy.deny,
		data.deploy.production.deny,
		data.deploy.log.deny,
		data.deploy.evidence.deny,
		data.deploy.vulnerabilities.deny,
		data.deploy.score.deny,
	]
	some reason in denials
]
