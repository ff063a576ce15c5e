package bots_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Every package below bots with an adapter (something that has Send) is a
// channel, and every channel passes the suite. botstest itself and fakes of
// networks are none, nor is what several carriers of one network share.
func TestEveryChannelRunsTheSuite(t *testing.T) {
	channels := 0
	err := filepath.WalkDir(".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || dir == "." {
			return err
		}
		if d.Name() == "botstest" || d.Name() == "testdata" || strings.HasSuffix(d.Name(), "fake") {
			return fs.SkipDir
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || !hasAdapter(t, files) {
			return err
		}
		channels++
		if !callsSuite(t, files) {
			t.Errorf("no test of bots/%s calls botstest.Run; see docs/add-a-channel.md", dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if channels == 0 {
		t.Error("no channel was found: does this test look in the right folder?")
	}
}

// hasAdapter reports whether one of the files that are no tests declares a
// method Send.
func hasAdapter(t *testing.T, files []string) bool {
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "Send" {
				return true
			}
		}
	}
	return false
}

// callsSuite reports whether one of the tests calls botstest.Run.
func callsSuite(t *testing.T, files []string) bool {
	found := false
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(fn.Name.Name, "Test") || fn.Recv != nil {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "Run" {
					return true
				}
				pkg, ok := sel.X.(*ast.Ident)
				found = found || ok && pkg.Name == "botstest"
				return true
			})
		}
	}
	return found
}
