package app

import (
	"context"
	"net/http"
)

// pages mounts everything that people open.
func (s *server) pages(_ context.Context, mux *http.ServeMux) error {
	mux.Handle("/", s.web.Handler(s.gateway.Sink))
	return nil
}
