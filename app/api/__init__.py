"""HTTP, WebSocket and SSE: handlers parse, call one use case and answer."""
