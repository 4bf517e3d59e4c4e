-- origin_counts: how many flights have left each airport so far.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV; numbers may be strings.
-- Output  topic origin_counts, compacted: for each origin the number of flights.
--
-- Counts of one origin have to come from one partition: either the topic has just one, or its records
-- are partitioned by origin, which 'source.partitioned-by' = 'origin' then says. `--brokers` says
-- which Kafka, unless the tables have 'properties.bootstrap.servers'.

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
