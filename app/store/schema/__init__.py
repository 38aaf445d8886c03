"""The schema, room by room; `app.store.tables` is all of it."""
