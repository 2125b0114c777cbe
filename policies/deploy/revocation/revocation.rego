# METADATA
# scope: package
# title: What a deployment that is flipped takes with it
# description: >-
#   Reasons for which the version that the tests ran on is revoked, where a decision is taken again because something happened: those that the gate
#   names in parameters.revokeOn.
package deploy.revocation

revoking(reasons) := sort({reason.code |
	some reason in reasons
	reason.code in object.get(input.parameters, "revokeOn", [])
})
