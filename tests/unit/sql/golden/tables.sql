CREATE TABLE bid (
  bidtime TIMESTAMP(3),
  price DECIMAL(10, 2),
  item STRING,
  supplier_id STRING,
  `offset` BIGINT METADATA VIRTUAL,
  arrived TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  double_price AS price * 2,
  WATERMARK FOR bidtime AS bidtime - INTERVAL '1' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'bid', 'format' = 'json');

CREATE TABLE readings (
  device_id STRING,
  epoch_ms BIGINT,
  temperature DOUBLE,
  place ROW<city STRING, zone INT>,
  ts AS TO_TIMESTAMP_LTZ(epoch_ms, 3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json');

CREATE TABLE stored (carrier STRING, dep_delay INT, air_time INT) PARTITIONED BY (carrier)
WITH ('connector' = 'filesystem', 'path' = '/data/stored', 'format' = 'json');

CREATE TABLE totals (item STRING, total DECIMAL(38, 2), PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'totals', 'key.format' = 'json', 'value.format' = 'json');

CREATE TABLE printed (name STRING, number BIGINT) WITH ('connector' = 'print');

CREATE TABLE files (name STRING, number BIGINT)
WITH ('connector' = 'filesystem', 'path' = '/data/files', 'format' = 'json');
