"""The API's client: submit, poll, cancel, download; its errors; its pacing. Import what you need from its modules."""
