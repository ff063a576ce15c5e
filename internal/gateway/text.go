package gateway

// Text renders a text of the catalogue in the language of the speaker, for
// what becomes a value of another text: the label of a button, a line of a
// card. What is said by itself goes through Say.
func (t *Turn) Text(key string, params map[string]string) (string, error) {
	return t.g.Library.Text(key, t.Lang, params)
}
