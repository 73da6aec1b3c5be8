-- Vacuum where rows have been deleted, which is every minute under load; not for those that were only written as well: 8,000
-- a second had it read the whole outbox every minute, and write, where pages carry checksums, up to 230 MB of WAL for a table
-- of 400 MB, to mark rows that nobody scans for. Statistics need not follow soon either: whoever reads is told to use the indexes.
ALTER TABLE rowcast.changes SET (autovacuum_vacuum_insert_threshold = 1000000, autovacuum_analyze_threshold = 500000);
