-- flights_delays: arrivals late by a quarter of an hour or more, by origin and carrier, hour by hour.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV, keyed by origin.
-- Output  dfs:///delays/: JSON lines: for every hour of scheduled departure, origin and carrier how
--         many flights arrived late by 15 minutes or more, by how many minutes on average and at most.
--
-- Numbers of the input may be JSON numbers or strings; `--brokers` says which Kafka, unless the
-- table has 'properties.bootstrap.servers'.

CREATE TABLE flights_raw (
  id BIGINT,
  `year` INT,
  `month` INT,
  `day` INT,
  dep_time INT,
  sched_dep_time INT,
  dep_delay INT,
  arr_time INT,
  sched_arr_time INT,
  arr_delay INT,
  carrier STRING,
  flight INT,
  tailnum STRING,
  origin STRING,
  dest STRING,
  air_time INT,
  distance INT,
  `hour` INT,
  `minute` INT,
  time_hour STRING,
  name STRING,
  -- Scheduled departure, local to the origin. sched_dep_time is HHMM, so its minutes of the day are
  -- HHMM - 40 * HH; 2400 is the next midnight, and a flight without one counts at 00:00.
  ts AS TIMESTAMPADD(
    MINUTE, (`day` - 1) * 1440 + COALESCE(sched_dep_time - 40 * (sched_dep_time / 100), 0),
    TIMESTAMPADD(MONTH, (`year` - 2000) * 12 + `month` - 1, TIMESTAMP '2000-01-01 00:00:00.000')),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights-topic',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'source.partitioned-by' = 'origin'  -- the producer's key
);

CREATE TABLE delays (
  origin STRING,
  carrier STRING,
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  delayed_flights BIGINT,
  avg_arr_delay DOUBLE,
  max_arr_delay INT
) WITH (
  'connector' = 'filesystem',
  'path' = 'dfs:///delays/',
  'format' = 'json'
);

INSERT INTO delays
SELECT
  origin,
  carrier,
  window_start,
  window_end,
  COUNT(*),
  AVG(CAST(arr_delay AS DOUBLE)),
  MAX(arr_delay)
FROM TABLE(TUMBLE(TABLE flights_raw, DESCRIPTOR(ts), INTERVAL '1' HOUR))
WHERE arr_delay >= 15
GROUP BY window_start, window_end, origin, carrier;
