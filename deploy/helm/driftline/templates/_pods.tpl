{{- /* What all pods have. `part`: its name in the values; `root`: $. */ -}}

{{- define "driftline.annotations" -}}
{{- $own := index .root.Values .part | default dict -}}
checksum/config: {{ .root.Values.config | sha256sum }}
{{- with $own.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "driftline.pod" -}}
{{- $own := index .root.Values .part | default dict -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false # else a Service called driftline would set variables DRIFTLINE_*
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
{{- with index $own $key }}
{{ $key }}: {{- if kindIs "string" . }} {{ . }}{{ else }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}
volumes:
  - name: config
    configMap: {name: {{ .configMap | default (include "driftline.configMap" .root) }}}
  - name: tmp
    emptyDir: {sizeLimit: 1Gi}
  {{- if .root.Values.secret }}
  - name: secrets
    secret: {secretName: {{ .root.Values.secret }}, defaultMode: 288} # 0440
  {{- end }}
  {{- if .root.Values.references.configMap }}
  - name: references
    configMap: {name: {{ .root.Values.references.configMap }}}
  {{- else if .root.Values.references.existingClaim }}
  - name: references
    persistentVolumeClaim: {claimName: {{ .root.Values.references.existingClaim }}, readOnly: true}
  {{- end }}
{{- end -}}

{{- define "driftline.container" -}}
{{- $own := index .root.Values .part | default dict -}}
image: {{ printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default .root.Chart.AppVersion) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: [driftline]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
terminationMessagePolicy: FallbackToLogsOnError # the sentence of exit code 2 is in the pod's status
{{- with $own.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - {name: config, mountPath: /etc/driftline/driftline.yaml, subPath: driftline.yaml, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- if .root.Values.secret }}
  - {name: secrets, mountPath: /etc/driftline/secrets, readOnly: true}
  {{- end }}
  {{- if or .root.Values.references.configMap .root.Values.references.existingClaim }}
  - {name: references, mountPath: /etc/driftline/references, readOnly: true}
  {{- end }}
{{- end -}}
