-- origin_counts: how many flights have left each airport so far.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV; numbers may be strings.
-- Output  topic origin_counts, compacted: for each origin the number of flights.
--
-- Flights of one origin may lie in any partition: they meet behind an exchange (EXPLAIN shows it). If the
-- topic's records are partitioned by origin, 'source.partitioned-by' = 'origin' in the first table saves
-- that way. `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

CREATE TABLE flights_raw (
  origin STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights-topic',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE origin_counts (
  origin STRING,
  flights BIGINT,
  PRIMARY KEY (origin) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'origin_counts',
  'key.format' = 'json',
  'value.format' = 'json'
);

INSERT INTO origin_counts
SELECT origin, COUNT(*)
FROM flights_raw
GROUP BY origin;
