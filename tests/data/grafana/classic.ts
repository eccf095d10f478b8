// What classic-13.schema.json is made of: the types of @grafana/schema 13.2.3, put together as a dashboard of
// Prometheus. Link and Target are ours: that package leaves them open.
import * as dashboard from '@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import * as timeseries from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import * as bargauge from '@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import * as statetimeline from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import * as text from '@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';

interface Link { title: string; url: string; targetBlank?: boolean }
interface Target {
  refId: string; datasource: dashboard.DataSourceRef; expr: string; editorMode: 'code' | 'builder';
  legendFormat?: string; instant?: boolean; range?: boolean; format?: 'time_series' | 'table' | 'heatmap'; interval?: string;
}
type Config<Custom> = Omit<dashboard.FieldConfig, 'custom' | 'links'> & { custom?: Custom; links?: Link[] };
type Typed<Name, Options, Custom> = Omit<dashboard.Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'gridPos' | 'datasource'> & {
  type: Name; id: number; title: string; gridPos: dashboard.GridPos; options: Options; datasource: dashboard.DataSourceRef; targets: Target[];
  fieldConfig: { defaults: Config<Custom>; overrides: dashboard.FieldConfigSource['overrides'] };
};
type Drawn = Typed<'timeseries', timeseries.Options, timeseries.FieldConfig> | Typed<'stat', stat.Options, never>
  | Typed<'table', table.Options, table.FieldConfig> | Typed<'bargauge', bargauge.Options, never>
  | Typed<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>;
export type Classic = Omit<dashboard.Dashboard, 'panels' | 'uid' | 'title'> & { uid: string; title: string; panels: Array<Drawn | dashboard.RowPanel> };
