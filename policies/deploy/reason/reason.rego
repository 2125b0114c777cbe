# What the rules about deployments have in common: a reason that says which points and which evidence it is about, patterns, subjects, ages.
package deploy.reason

import data.gate.reason

package_of(chain) := reason.package_of(chain)

# A reason that is about no evidence in particular.
of(annotations, code, message) := about(annotations, code, message, 0, null)

# `points`: what it costs of the score; 0 where it is beside the score. `evidence`: id of the item, or null.
about(annotations, code, message, points, evidence) := object.union(
	reason.of(annotations, code, message),
	{"points": points, "evidenceId": evidence},
)

# A pattern is a name, or the beginning of one and a star.
fits(pattern, text) if pattern == text

fits(pattern, text) if {
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}

fits_one(patterns, text) if {
	some pattern in patterns
	fits(pattern, text)
}

# What evidence has to be about, as its requirement says: null where the request names none.
subject("commit") := input.request.commit

subject("environment") := input.request.environment

subject("image") := input.request.image.digest if is_object(input.request.image)

subject("image") := null if not is_object(input.request.image)

# The newest whole or empty item of a requirement: what counts of it. Of two of one instant, the one of the greater id.
newest(items) := item if {
	keys := sort([[at(item), item.id] | some item in items])
	count(keys) > 0
	last := keys[count(keys) - 1]
	some item in items
	[at(item), item.id] == last
}

# How old something is begins with the earlier of the two: when it says it was made, and when it came here.
at(item) := item.receivedAtMs if item.madeAtMs == null

at(item) := min([item.madeAtMs, item.receivedAtMs]) if item.madeAtMs != null

# Those that are about what is deployed, and of the kind that is asked for.
fitting(requirement) := [item |
	some item in input.evidence
	item.type == requirement.type
	of_tool(requirement.tool, item.tool)
	item.subject.kind == requirement.subject
	item.subject.value == subject(requirement.subject)
]

of_tool(null, _)

of_tool(pattern, tool) if {
	is_string(tool)
	fits(pattern, tool)
}

# Of those the ones that a producer of the requirement's list made; without a list, anybody's.
produced(requirement) := fitting(requirement) if count(requirement.producers) == 0

produced(requirement) := [item |
	some item in fitting(requirement)
	some producer in requirement.producers
	every member, pattern in producer {
		is_string(item.producer[member])
		fits(pattern, item.producer[member])
	}
] if {
	count(requirement.producers) > 0
}

fresh(item, maxAgeMs) if input.nowMs - at(item) <= maxAgeMs
