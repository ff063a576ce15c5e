package people

import "errors"

// Why persons are not made one, or parted.
var (
	ErrSame      = errors.New("they are one person already")
	ErrIsStaff   = errors.New("a member of the staff is merged with nobody")
	ErrNotMerged = errors.New("the person is merged into nobody")
)

// Root is a person who is merged into nobody, as the merge of two looks at it.
type Root struct {
	ID    int64
	Staff bool
}

// CanMerge reports why merged must not be made one with root, nil where it may.
// Whoever is one with a member of the staff can do what that member may: so no desk
// makes anybody so, and by proof of their own telephone (proven) only the number
// goes to the member, never the other way.
func CanMerge(root, merged Root, proven bool) error {
	switch {
	case root.ID == merged.ID:
		return ErrSame
	case merged.Staff, root.Staff && !proven:
		return ErrIsStaff
	}
	return nil
}
