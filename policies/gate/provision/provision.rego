# METADATA
# scope: package
# title: May this plan, with these facts, go to that target?
# description: >-
#   The answer is yes only if no rule has a reason against it. All reasons are given. Each folder of rules is listed here;
#   build.mjs refuses a rule that is not.
package gate.provision

default allow := false

allow if count(reasons) == 0

decision := {"allow": allow, "reasons": reasons}

# A list and not a union, and unsorted: union and sort of OPA's wasm cost the square of the number of reasons, and a plan with many faults must
# get its reasons and not a time-out. Who asks sorts them.
reasons := [reason |
	some denials in [
		data.gate.facts.deny,
		data.columns.fit.deny,
		data.columns.unique.deny,
		data.columns.keys.deny,
		data.columns.keep.deny,
		data.columns.links.deny,
		data.columns.redact.deny,
		data.columns.rest.deny,
		data.columns.reversible.deny,
		data.columns.pan.deny,
		data.schema.texts.deny,
		data.key.version.deny,
		data.purpose.stated.deny,
		data.target.environment.deny,
		data.target.allows.deny,
		data.target.apart.deny,
		data.target.region.deny,
		data.source.writable.deny,
		data.dataset.again.deny,
	]
	some reason in denials
]
