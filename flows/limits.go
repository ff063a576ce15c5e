package flows

// Limits of one dialogue, in the manner of goflow (flows/engine/engine.go):
// they keep a mistake in a definition, or a resident who sends without end,
// from filling the database. They guard the machine and are no policy, so they
// are constants.
const (
	// MaxSteps is how many steps and questions a definition may hold, and how
	// many may be taken in one turn, sub-dialogues included.
	MaxSteps = 50
	// MaxItems is how many things one definition may collect.
	MaxItems = 24
	// MaxOptions is how many options one question may offer.
	MaxOptions = 20
	// MaxDepth is how many dialogues may be on top of each other.
	MaxDepth = 4
	// MaxText is the longest text taken as one answer, in characters.
	MaxText = 2000
	// MaxPhotos is how many photos one item may hold.
	MaxPhotos = 9
	// MaxVars is the most that the variables of a dialogue may weigh, in
	// bytes of JSON, roughly.
	MaxVars = 64 << 10
	// MaxTemplate is the longest text of a definition in one language, in
	// characters.
	MaxTemplate = 1000
	// MaxDefinition is the largest definition file, in bytes.
	MaxDefinition = 128 << 10
	// MaxExpr is the most nodes that one expression may have.
	MaxExpr = 100
)

// opening is how many characters beside the start words the first message must
// have to count as an answer already: 我要报修 only asks for the dialogue,
// 我要报修楼道灯 also says what is broken. An item may set its own.
const opening = 3
