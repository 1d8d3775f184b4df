"""A team's store: what one machine paid for, all have. docs/store.md says what it promises."""
