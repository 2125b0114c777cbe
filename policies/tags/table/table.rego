# What each tag may become, where each category may go: facts that the rules look up. Tags are `category` or `category.word`.
package tags.table

# Fit for any tag: nothing of the value is left.
blank := {"null", "fixed"}

# Keyed, and of no particular look: only equality is left.
keyed := {"hash-token", "text-key", "integer-key", "uuid", "pattern"}

words := {"replace", "first-name", "last-name", "full-name", "username", "company"}

place := {"replace", "street", "house-number", "city", "postcode", "region", "country", "generalise", "truncate"}

dates := {"date-of-birth", "date-shift", "generalise", "truncate"}

coarse := {"number-noise", "generalise", "truncate"}

# Tag → transforms beside the blank ones. The closed list of tags; src/pipeline/tags.ts has the same names. `keep`, `redact` and
# `paths` are no disguises: rules of their own judge them.
fits := {
	"pii.email": {"email", "hash-token", "text-key"},
	"pii.first-name": (words | keyed),
	"pii.last-name": (words | keyed),
	"pii.full-name": (words | keyed),
	"pii.phone": {"phone", "hash-token", "text-key", "integer-key", "pattern", "token"},
	"pii.address": (place | keyed),
	"pii.address.street": (place | keyed),
	"pii.address.house-number": ((place | keyed) | {"number-noise"}),
	"pii.address.city": (place | keyed),
	"pii.address.postcode": (place | keyed),
	"pii.address.region": (place | keyed),
	"pii.address.country": (place | keyed),
	"pii.company": (words | keyed),
	"pii.job-title": ({"replace", "generalise"} | keyed),
	"pii.username": ({"username", "email", "replace"} | keyed),
	"pii.date-of-birth": dates,
	"pii.date": dates,
	"pii.national-id": ({"national-id", "token"} | keyed),
	"pii.document-id": (keyed | {"token"}),
	"pii.iban": {"iban", "hash-token", "text-key"},
	"pii.bank-account": ({"iban", "token"} | keyed),
	"pii.ip": {"ip", "hash-token", "text-key", "generalise", "truncate"},
	"pii.mac": {"mac", "hash-token", "text-key"},
	"pii.url": {"url", "hash-token", "text-key", "replace"},
	"pii.uuid": {"uuid", "hash-token", "text-key"},
	"pii.key": (keyed | {"token"}),
	"pii.gender": ({"replace"} | keyed),
	"pii.free-text": {"replace"},
	"pii.user-agent": ({"replace"} | keyed),
	"pii.photo": {"replace", "hash-token", "uuid"},
	"pii.biometric": {"replace"},
	"pii.special": {"replace"},
	"pci.pan": {"pan", "hash-token", "text-key", "truncate", "token"},
	"pci.last-four": {"pattern"},
	"pci.cvv": {"pattern"},
	"pci.expiry": {"date-shift", "pattern", "replace", "generalise"},
	"pci.holder": (words | keyed),
	"phi.mrn": (keyed | {"token"}),
	"phi.insurance-id": (keyed | {"token"}),
	"phi.note": {"replace"},
	"phi.diagnosis": ({"replace", "generalise"} | keyed),
	"phi.medication": ({"replace", "generalise"} | keyed),
	"phi.measurement": (coarse | {"replace", "pattern"}),
	"phi.date": dates,
	"special.origin": {"replace"},
	"special.politics": {"replace"},
	"special.belief": {"replace"},
	"special.union": {"replace"},
	"special.genetic": {"replace"},
	"special.health": {"replace"},
	"special.orientation": {"replace"},
	"sensitive.criminal": {"replace"},
	"sensitive.income": (coarse | {"replace"}),
	"sensitive.credit": (coarse | {"replace"}),
	"sensitive.conduct": {"replace", "generalise"},
	"sensitive.other": {"replace", "generalise"},
	"secret.password": {"secret"},
	"secret.token": {"secret", "hash-token", "uuid"},
	"secret.url": {"secret"},
	"quasi.birth-date": dates,
	"quasi.age": coarse,
	"quasi.amount": coarse,
	"quasi.timestamp": (dates | coarse),
	"quasi.location": coarse,
}

category(tag) := split(tag, ".")[0]

known(tag) if fits[tag]

allowed(tag) := fits[tag] | blank

# An allow-list entry covers a tag if it is the tag, its category, or a category about persons while the tag is only a quasi-identifier.
covers(entry, tag) if entry == tag

covers(entry, tag) if entry == category(tag)

covers(entry, tag) if {
	category(tag) == "quasi"
	entry in {"pii", "phi", "pci", "special", "sensitive"}
}

# Regions by the first word of their name: `eu-central-1` counts as `eu`. EU and EEA; then countries with an adequacy decision
# (Art. 45 GDPR) that covers the private sector without a certificate of the receiver.
union_regions := {
	"eu", "eea", "europe",
	"at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "it", "lt", "lu", "lv", "mt", "nl",
	"pl", "pt", "ro", "se", "si", "sk", "is", "li", "no",
}

adequate_regions := {"ad", "ar", "ch", "fo", "gb", "uk", "gg", "il", "im", "je", "jp", "kr", "nz", "uy"}

regions := {
	"pii": (union_regions | adequate_regions),
	"pci": (union_regions | adequate_regions),
	"quasi": (union_regions | adequate_regions),
	"phi": (union_regions | {"ch", "gb", "uk"}),
	"special": (union_regions | {"ch", "gb", "uk"}),
	"sensitive": (union_regions | adequate_regions),
	"secret": (union_regions | adequate_regions),
}

region_word(region) := split(lower(region), "-")[0]
