// Package archtest holds the shape of the house: which package may import
// which, and what only one package may do. It reads the source of every file
// that is not a test, for all build tags at once, so it sees more than
// go list -deps does and needs no building.
//
// The table in layers.go is design section 3 in one place. A new package has
// to be entered there; that is meant as the moment to think about where it
// belongs.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the import path of the tree.
const module = "shaoying"

// source is one parsed Go file that is not a test.
type source struct {
	dir     string // folder from the root, "internal/clock"
	name    string // path from the root
	file    *ast.File
	fset    *token.FileSet
	imports []string
	names   map[string]string // local name to import path
}

// load parses every Go file of the tree that is not a test.
func load(tree fs.FS) ([]source, error) {
	var all []source
	fset := token.NewFileSet()
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		body, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, body, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse: %w", err)
		}
		s := source{dir: path.Dir(name), name: name, file: file, fset: fset, names: map[string]string{}}
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
			}
			local := path.Base(target)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			s.imports = append(s.imports, target)
			s.names[local] = target
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// check returns every breach of the rules, each with its place.
func check(all []source) []string {
	var breaches []string
	for _, s := range all {
		for _, rule := range []func(source) []string{direction, channelImports, pureImports, databaseImports, forbiddenUses, initFunctions} {
			breaches = append(breaches, rule(s)...)
		}
	}
	slices.Sort(breaches)
	return breaches
}

// direction holds that imports point downwards in the table.
func direction(s source) []string {
	from, ok := layerOf(s.dir)
	if !ok {
		return []string{fmt.Sprintf("%s: package %s is in no layer; enter it in internal/archtest/layers.go", s.name, s.dir)}
	}
	var out []string
	for _, target := range s.imports {
		to, ok := strings.CutPrefix(target, module+"/")
		if !ok || sameHouse(s.dir, to) {
			continue
		}
		below, known := layerOf(to)
		if !known || below > from || below == from && !layers[from].peers {
			out = append(out, fmt.Sprintf("%s: imports %s, which does not lie below %s", s.name, target, s.dir))
		}
	}
	return out
}

// channelImports holds that a channel knows the contract and little else, and
// that the contract knows only the standard library.
func channelImports(s source) []string {
	var out []string
	for _, target := range s.imports {
		to, ours := strings.CutPrefix(target, module+"/")
		switch {
		case s.dir == "bots" && (ours || strings.Contains(strings.Split(target, "/")[0], ".")):
			out = append(out, fmt.Sprintf("%s: imports %s; bots is standard library only", s.name, target))
		case isTestHelp(s.dir) && to == "bots/botstest": // a rig that several carriers share
		case isChannel(s.dir) && ours && !sameHouse(s.dir, to) && !slices.Contains(forChannels, to):
			out = append(out, fmt.Sprintf("%s: imports %s; a channel imports only %s and its own library", s.name, target, strings.Join(forChannels, ", ")))
		}
	}
	return out
}

// pureImports holds that what is pure reaches nothing outside itself.
func pureImports(s source) []string {
	if !slices.Contains(pure, s.dir) {
		return nil
	}
	var out []string
	for _, target := range s.imports {
		if slices.Contains(impure, target) {
			out = append(out, fmt.Sprintf("%s: imports %s; %s is pure, no I/O", s.name, target, s.dir))
		}
	}
	return out
}

// databaseImports holds that the database driver stays in its house. The tests
// of the whole system look from outside, past our own queries.
func databaseImports(s source) []string {
	if within(s.dir, "internal/postgres") || within(s.dir, "test") {
		return nil
	}
	var out []string
	for _, target := range s.imports {
		if strings.HasPrefix(target, "github.com/jackc/") || target == "database/sql" {
			out = append(out, fmt.Sprintf("%s: imports %s; only internal/postgres does", s.name, target))
		}
	}
	return out
}

// forbiddenUses holds what only one package may do.
func forbiddenUses(s source) []string {
	if isTestHelp(s.dir) {
		return nil
	}
	var out []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		left, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, only := range owned {
			if s.names[left.Name] == only.path && s.dir != only.owner && slices.Contains(only.names, selector.Sel.Name) {
				out = append(out, fmt.Sprintf("%s: %s.%s outside %s", s.fset.Position(n.Pos()), only.path, selector.Sel.Name, only.owner))
			}
		}
		return true
	})
	return out
}

// initFunctions holds that nothing happens before main.
func initFunctions(s source) []string {
	var out []string
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			out = append(out, fmt.Sprintf("%s: init function; wire it in internal/app", s.fset.Position(f.Pos())))
		}
	}
	return out
}
