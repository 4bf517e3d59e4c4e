-- flights_structured: the raw flights, typed and cleaned, with their event time.
--
-- Input   topic flights-topic: JSON objects with the 21 fields of a flights CSV, keyed by origin.
-- Output  topic flights: JSON, one for each flight, keyed by origin: codes in upper case, empty text
--         as NULL, event_time = scheduled departure.
--
-- Numbers of the input may be JSON numbers or strings; `--brokers` says which Kafka, unless the
-- table has 'properties.bootstrap.servers'.
-- A flight without a date has no event time and goes to flights-topic.dead-letter.

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

CREATE TABLE flights (
  id BIGINT,
  event_time TIMESTAMP(3),
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
  time_hour TIMESTAMP(0),
  name STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'flights',
  'key.format' = 'raw',
  'key.fields' = 'origin',
  'value.format' = 'json'
);

INSERT INTO flights
SELECT
  id,
  ts,
  `year`,
  `month`,
  `day`,
  dep_time,
  sched_dep_time,
  dep_delay,
  arr_time,
  sched_arr_time,
  arr_delay,
  NULLIF(UPPER(TRIM(carrier)), ''),
  flight,
  NULLIF(UPPER(TRIM(tailnum)), ''),
  NULLIF(UPPER(TRIM(origin)), ''),
  NULLIF(UPPER(TRIM(dest)), ''),
  air_time,
  distance,
  `hour`,
  `minute`,
  TRY_CAST(time_hour AS TIMESTAMP(0)),
  NULLIF(TRIM(name), '')
FROM flights_raw;
