package archtest

import "strings"

// layer is one level of the house. A package imports what lies below it; arrows
// may skip levels.
type layer struct {
	packages []string
	// peers may import one another, as far as Go's own rule against cycles
	// lets them.
	peers bool
}

// layers from the ground up: design section 3. A package belongs to the entry
// that is the longest prefix of its path.
var layers = []layer{
	{packages: []string{"internal/privacy", "internal/clock", "internal/qrcode", "flows/words"}},
	{packages: []string{"bots", "bots/botstest", "bots/wire", "bots/weixin", "scheduler", "configs", "internal/outbound", "internal/spool"}, peers: true},
	{packages: []string{"flows", "internal/ticket", "internal/care", "internal/people", "internal/audit", "internal/figures", "internal/chart", "internal/feed", "internal/textlint"}, peers: true},
	{packages: []string{"internal/postgres"}},
	{packages: []string{"internal/gateway"}},
	{packages: []string{"internal/workorder", "internal/city", "internal/tally"}},
	{packages: []string{"internal/webhook", "internal/homecare"}},
	{packages: []string{channels, "internal/actions", "scheduler/jobs", "internal/console", "internal/api", "internal/bench"}},
	{packages: []string{"internal/demo"}},
	{packages: []string{"internal/app"}},
	{packages: []string{"cmd", "test", "internal/archtest"}},
}

// channels stands for every package below bots but those that channels share.
const channels = "bots/"

// forChannels is what a channel may import of this module.
var forChannels = []string{"bots", "bots/wire", "bots/weixin", "internal/outbound", "internal/privacy", "internal/clock"}

// pure packages are given time and data and return decisions.
var pure = []string{
	"flows", "flows/words", "internal/ticket", "internal/care", "internal/people", "internal/audit", "internal/feed", "internal/figures", "internal/textlint", "scheduler", "bots",
}

// impure is what a pure package does not import. net/http is not in it: the
// channel contract names http.Handler.
var impure = []string{"os", "os/exec", "net", "database/sql", "log", "log/slog", module + "/internal/clock"}

// owned says which uses of the standard library belong to one package.
var owned = []struct {
	path, owner string
	names       []string
}{
	{"time", "internal/clock", []string{"Now", "Since", "Until"}},
	{"net/http", "internal/outbound", []string{"Get", "Head", "Post", "PostForm", "Client", "Transport", "DefaultClient", "DefaultTransport"}},
}

// testHelp are packages that only tests link, as are the fakes of networks
// (bots/telegram/telegramfake). They may ask for the time and speak HTTP to what
// they test.
var testHelp = []string{"bots/botstest", "flows/flowstest", "internal/postgres/pgtest", "test", "internal/archtest"}

// entryOf returns the entry of the table that a package belongs to, and its
// level; -1 when there is none.
func entryOf(dir string) (entry string, level int) {
	level = -1
	for i, l := range layers {
		for _, p := range l.packages {
			if (within(dir, p) || p == channels && strings.HasPrefix(dir, channels)) && len(p) > len(entry) {
				entry, level = p, i
			}
		}
	}
	return entry, level
}

// layerOf returns the level of a package.
func layerOf(dir string) (int, bool) {
	_, level := entryOf(dir)
	return level, level >= 0
}

// sameHouse reports whether two packages are parts of one entry, inside of
// which Go's own rule against cycles is enough. Each channel is a house of its
// own.
func sameHouse(a, b string) bool {
	houseA, _ := entryOf(a)
	houseB, _ := entryOf(b)
	if houseA == channels && houseB == channels {
		return channelOf(a) == channelOf(b)
	}
	return houseA == houseB
}

// channelOf returns the name of the channel that a package is a part of.
func channelOf(dir string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(dir, channels), "/")
	return name
}

func within(dir, house string) bool {
	return dir == house || strings.HasPrefix(dir, house+"/")
}

func isChannel(dir string) bool {
	entry, _ := entryOf(dir)
	return entry == channels
}

func isTestHelp(dir string) bool {
	for _, house := range testHelp {
		if within(dir, house) {
			return true
		}
	}
	return isChannel(dir) && strings.HasSuffix(dir, "fake")
}
