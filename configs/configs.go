// Package configs holds the embedded defaults (flows, texts, policies,
// calendars, programmes: everything below this folder that is not Go) and the
// strict decoder that reads them.
//
// # What is strict
//
// [Decode] refuses what a person who edits by hand gets wrong: a key that does
// not exist, a key written twice, a second document, a tag. Each
// error starts with name:line:column and says what is allowed there.
//
// # What belongs where
//
// [Process] is what SHAOYING_CONFIG may say: the process and its channels.
// Everything else is a definition: embedded here, overridable by file or
// console, versioned in the database. Each package owns the struct of its own
// file; this package knows none of them.
//
// # Failure
//
// Decoding is pure and happens at start. A bad file stops the start; nothing
// is half-applied.
package configs

import (
	"embed"
	"io/fs"
	"path"
)

// The second pattern takes whole folders with all that is below them, needs no
// placeholder file in an empty one, and leaves this package's Go files out.
//
//go:embed *.yaml */*
var embedded embed.FS

// FS returns the embedded defaults: "process.yaml", "flows/report.yaml",
// "policies/hours.yaml" and so on.
func FS() fs.FS { return embedded }

// Read returns one embedded file by its name, for instance
// "policies/hours.yaml". The error names the file.
func Read(name string) ([]byte, error) { return fs.ReadFile(embedded, name) }

// Names returns the names of the embedded files of a folder that end in ext
// (".yaml"), also of those in folders below it, in lexical order. A folder
// that does not exist has no files.
func Names(folder, ext string) ([]string, error) {
	if _, err := fs.Stat(embedded, folder); err != nil {
		return nil, nil
	}
	var names []string
	err := fs.WalkDir(embedded, folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ext {
			names = append(names, name)
		}
		return err
	})
	return names, err
}
