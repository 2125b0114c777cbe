# What each tag may become, where each category may go: facts that the rules look up. Tags are `category` or `category.word`.
package tags.table

categories := {"pii", "pci", "phi", "secret", "quasi"}

# Fit for any tag that speaks of a person: nothing of the value is left, or only its equality under a key.
blank := {"null", "fixed"}

# Keyed, and of no particular look.
keyed := {"hash-token", "text-key", "integer-key", "uuid", "pattern"}

person_words := {"first-name", "last-name", "full-name", "username", "replace"}

place_words := {"street", "house-number", "city", "postcode", "country", "address", "replace", "generalise", "truncate"}

coarse := {"generalise", "truncate", "number-noise", "date-shift"}

# Category → transforms that fit a tag which `fits` does not name.
fits_category := {
	"pii": (keyed | {"replace"}),
	"pci": keyed,
	"phi": (keyed | {"replace"}),
	"secret": {"secret"},
	"quasi": ((coarse | place_words) | {"birth-date", "pattern", "integer-key", "company"}),
}

# Tag → transforms. `keep`, `redact` and `paths` are no disguises: rules of their own judge them.
fits := {
	"pii.email": {"email", "hash-token", "text-key"},
	"pii.name": (person_words | keyed),
	"pii.first-name": (person_words | keyed),
	"pii.last-name": (person_words | keyed),
	"pii.full-name": (person_words | keyed),
	"pii.username": {"username", "email", "hash-token", "text-key", "pattern"},
	"pii.phone": {"phone", "pattern", "hash-token", "text-key"},
	"pii.address": (place_words | keyed),
	"pii.street": (place_words | keyed),
	"pii.house-number": ((place_words | keyed) | {"number-noise"}),
	"pii.city": place_words,
	"pii.postcode": (place_words | {"pattern"}),
	"pii.country": place_words,
	"pii.company": {"company", "replace", "hash-token", "text-key"},
	"pii.birth-date": {"birth-date", "date-shift", "generalise", "truncate"},
	"pii.date": {"birth-date", "date-shift", "generalise", "truncate"},
	"pii.national-id": {"national-id", "pattern", "hash-token", "text-key", "integer-key"},
	"pii.ssn": {"national-id", "pattern", "hash-token", "text-key", "integer-key"},
	"pii.iban": {"iban", "hash-token", "text-key"},
	"pii.ip": {"ip", "hash-token", "text-key", "truncate", "generalise"},
	"pii.mac": {"mac", "hash-token", "text-key"},
	"pii.url": {"url", "hash-token", "text-key"},
	"pii.uuid": {"uuid", "hash-token", "text-key"},
	"pii.id": keyed,
	"pii.free-text": {"replace"},
	"pii.text": {"replace"},
	"pci.pan": {"pan", "hash-token", "text-key", "pattern", "truncate"},
	"pci.iban": {"iban", "hash-token", "text-key"},
	"pci.pan-last4": {"pattern"},
	"pci.expiry": {"date-shift", "pattern", "generalise", "replace"},
	"pci.cvv": set(),
	"pci.cvc": set(),
	"quasi.birth-date": {"birth-date", "date-shift", "generalise", "truncate"},
}

category(tag) := split(tag, ".")[0]

known(tag) if category(tag) in categories

allowed(tag) := fits[tag] | blank if fits[tag]

allowed(tag) := fits_category[category(tag)] | blank if not fits[tag]

# An allow-list entry covers a tag if it is the tag, its category, or a category about persons while the tag is only a quasi-identifier.
covers(entry, tag) if entry == tag

covers(entry, tag) if entry == category(tag)

covers(entry, tag) if {
	category(tag) == "quasi"
	entry in {"pii", "phi", "pci"}
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
	"secret": (union_regions | adequate_regions),
}

region_word(region) := split(lower(region), "-")[0]
