# How a reason for refusal is made: the code, the controls and the hint come from the METADATA of the rule that refuses.
package gate.reason

# A reason; `annotations` is the METADATA of the rule's package.
of(annotations, code, message) := {
	"code": code,
	"controlIds": annotations.custom.controls,
	"message": message,
	"hint": annotations.custom.codes[code],
}

# The annotations of the package in a chain, which is what a rule can see of its own METADATA.
package_of(chain) := a if {
	some link in chain
	link.annotations.scope == "package"
	a := link.annotations
}

# How a column, or a path in one, is named in a message: names only.
place(column) := dotted(column.table, column.column) if column.path == null

place(column) := concat("", [dotted(column.table, column.column), " (path ", column.path, ")"]) if is_string(column.path)

dotted(table, name) := concat(".", [table, name])
