# When an exception counts: it gives a reason, and its last day, if it has one, is not over. Absence never counts.
package gate.exception

# Shortest text that counts as a reason, in characters after trimming.
shortest := 3

reasoned(x) if x.reasonLength >= shortest

dated(x) if is_number(x.expiresDay)

# The last day itself still counts.
past(x, today) if {
	is_number(x.expiresDay)
	x.expiresDay < today
}

# A reason, and not over.
stands(x, today) if {
	reasoned(x)
	is_number(today)
	not past(x, today)
}
