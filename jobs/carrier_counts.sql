-- carrier_counts: how many flights of each carrier have arrived late so far.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV; numbers may be strings.
-- Output  topic carrier_counts, compacted: for each carrier the number of flights with arr_delay > 0.
--
-- Flights of one carrier may lie in any partition: they meet behind an exchange (EXPLAIN shows it). If the
-- topic's records are partitioned by carrier, 'source.partitioned-by' = 'carrier' in the first table saves
-- that way. `--brokers` says which Kafka, unless the tables have 'properties.bootstrap.servers'.

CREATE TABLE flights_raw (
  carrier STRING,
  arr_delay INT
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights-topic',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE TABLE carrier_counts (
  carrier STRING,
  late_flights BIGINT,
  PRIMARY KEY (carrier) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'carrier_counts',
  'key.format' = 'json',
  'value.format' = 'json'
);

INSERT INTO carrier_counts
SELECT carrier, COUNT(*)
FROM flights_raw
WHERE arr_delay > 0
GROUP BY carrier;
